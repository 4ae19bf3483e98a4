import type { Inspected, Loaded } from "../settings/load.ts";
import { type Finding, ok, problem, warning } from "./findings.ts";

/** What there is to say of settings: every mistake; or how many are set where, and what they warn of. */
export function settingsFindings(inspected: Inspected<unknown>): Finding[] {
  if (inspected.mistakes) {
    return inspected.mistakes.map(({ message, hint }) => problem("settings", message, hint));
  }
  const { loaded } = inspected;
  return [ok("settings", whereSet(loaded)), ...loaded.warnings.map((text) => warning("settings", text))];
}

/** How many settings are set in which kind of place. */
export function whereSet({ origins }: Loaded<unknown>): string {
  const labels = [...origins.values()].map(({ label }) => label).filter((label) => label !== "default");
  const counts = Map.groupBy(labels, placeOf);
  const places = [...counts].map(([place, set]) => `${set.length} ${place}`);
  return places.length > 0
    ? `${places.join(", ")}; the others have their defaults`
    : "all have their defaults";
}

function placeOf(label: string): string {
  if (label.startsWith("--")) return "by flags";
  if (label.startsWith("$")) return "by credentials";
  return / in /.test(label) ? "in the file" : "by variables";
}
