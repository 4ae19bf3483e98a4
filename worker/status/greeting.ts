import { printable } from "../../shared/printable.ts";
import type { WorkSettings } from "../work.ts";

/** More names are no help. */
const NAMES_SHOWN = 8;

/** What `signalbox worker` says before it connects: what it serves, as what, and to whom. */
export function greeting(settings: WorkSettings, models: readonly string[]): string {
  const { backendUrl, provider, proxyUrls, endpointPrefixes, maxConcurrency, workerSecret } = settings;
  const lines = [
    ["models", inShort(models) || "none yet: the backend lists them"],
    ["prefixes", endpointPrefixes.length > 0 ? inShort(endpointPrefixes) : "every path of the backend"],
    ["provider", `${provider}, ${maxConcurrency} at a time`],
    ["relay", inShort(proxyUrls)],
    ["secret", workerSecret === undefined ? "none" : "set"],
    ["more", "signalbox doctor worker; signalbox worker --help"],
  ];
  const shown = lines.map(([what, how]) => `  ${what!.padEnd(8)}  ${printable(how!)}\n`);
  return `signalbox: serving ${backendUrl}\n${shown.join("")}`;
}

function inShort(names: readonly string[]): string {
  if (names.includes("*")) return "any";
  const more = names.length > NAMES_SHOWN ? ` and ${names.length - NAMES_SHOWN} more` : "";
  return names.slice(0, NAMES_SHOWN).join(", ") + more;
}
