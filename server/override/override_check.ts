import { z } from "zod";
import type { CommandIo } from "../../shared/command_line/command.ts";
import { CommandError } from "../../shared/command_line/command_error.ts";
import { warningLine } from "../../shared/command_line/report.ts";
import { type Style, styleOf } from "../../shared/command_line/style.ts";
import { hanging } from "../../shared/command_line/text_columns.ts";
import { field, optionalField } from "../../shared/settings/field.ts";
import type { Inspected } from "../../shared/settings/load.ts";
import { choice, flag } from "../../shared/settings/texts.ts";
import { type DialPreview, previewDial } from "../provider/dial_preview.ts";
import { placeOf, reportedPattern } from "../route_test/dry_override.ts";
import { text } from "../route_test/kinds.ts";
import { endpointLines, patternLines } from "../route_test/render_override.ts";
import { titled } from "../route_test/titled.ts";
import { explainOverride, type OverrideExplanation } from "../routing/override.ts";
import type { ServeSettings } from "../settings.ts";
import { overrideRefusal } from "./door.ts";

const group = { group: "Request", flagOnly: true };

/** Settings of `signalbox override check`, beside those of the relay. */
export const overrideCheckSettings = z.object({
  modelProvider: optionalField(text("NAME", "write oci"), {
    ...group,
    says: "The value of x-model-provider; not given, the request has none",
  }),
  path: field(text("PATH", "write /v1/chat/completions"), {
    ...group,
    default: "/v1/chat/completions",
    says: "Path and query of the request, which are appended to a bare origin where join = true",
  }),
  resolve: field(flag, {
    ...group,
    default: "false",
    says: "Look the host up too, and tell which address would be dialled or why none; nothing is connected to",
  }),
  color: field(choice(["auto", "always", "never"]), {
    group: "Output",
    flagOnly: true,
    default: "auto",
    says: "Colours; auto is on a terminal, unless NO_COLOR is set",
  }),
});

export type OverrideCheckSettings = z.output<typeof overrideCheckSettings>;

/** It would be sent to the endpoint that it names. */
const EXIT_TAKEN = 0;
/** It would be refused, or no address of it may be dialled. */
const EXIT_NOT_TAKEN = 1;

/**
 * `signalbox override check URL`: which of the relay's patterns takes it, and what of it differs from each of the
 * others. Who may ask is not looked at.
 * @throws CommandError when the settings are wrong, or have no `[override]` table
 */
export async function overrideCheck(
  settings: OverrideCheckSettings,
  io: CommandIo,
  { url, relay }: { url: string; relay: Inspected<ServeSettings> },
): Promise<number> {
  const { modelProvider, path, resolve, color } = settings;
  const { policy, ports, warnings } = policyOf(relay);
  for (const warning of warnings) io.err(warningLine(warning));
  const asked = {
    endpoint: [url],
    modelProvider: modelProvider === undefined ? [] : [modelProvider],
    method: "POST",
    requestTarget: path,
  };
  const explained = explainOverride(asked, policy, {});
  const { decision } = explained;
  const { resolver } = policy;
  const resolved =
    resolve && decision.type === "provider"
      ? await previewDial(decision.target, { resolver, ports })
      : undefined;
  io.out(rendered(url, explained, { resolved, style: styleOf(color, io) }));
  return decision.type === "provider" && !resolved?.problem ? EXIT_TAKEN : EXIT_NOT_TAKEN;
}

function policyOf(relay: Inspected<ServeSettings>) {
  if (relay.mistakes) throw relay.mistakes[0]!;
  const { settings, warnings } = relay.loaded;
  const { override: policy, listen } = settings;
  if (!policy) {
    throw new CommandError(
      "Cannot check an endpoint: wanted an [override] table in the relay's settings, found none",
      "give --config FILE, the file that `signalbox serve` is started with",
    );
  }
  const own = policy.listen && "port" in policy.listen ? [policy.listen.port] : [];
  return { policy, ports: [listen.port, ...own], warnings };
}

interface Rendering {
  resolved: DialPreview | undefined;
  style: Style;
}

function rendered(
  url: string,
  { decision, patterns }: OverrideExplanation,
  { resolved, style }: Rendering,
): string {
  const { columns, strong } = style;
  const facts = decision.type === "provider" ? { ...placeOf(decision.target), resolved } : undefined;
  return [
    hanging("", url, { columns, paint: strong }),
    titled("Patterns, in their order", patternLines(patterns.map(reportedPattern), style), style),
    titled("Endpoint", facts ? endpointLines(facts, style) : [], style),
    outcomeLines(decision, resolved, style),
  ]
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.map((line) => `${line.trimEnd()}\n`).join(""))
    .join("\n");
}

function outcomeLines(
  decision: OverrideExplanation["decision"],
  resolved: DialPreview | undefined,
  { columns, good, bad, strong }: Style,
): string[] {
  if (decision.type === "refuse") {
    const { status, code, message } = overrideRefusal(decision);
    return [strong(bad(`refused: ${status} ${code}`)), ...hanging("         ", message, { columns })];
  }
  const by = `by ${decision.target.endpoint.name}`;
  return resolved?.problem
    ? [strong(bad(`taken ${by}, but not dialled: 502 provider_unreachable`))]
    : [strong(good(`taken ${by}`))];
}
