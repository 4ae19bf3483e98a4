import type { Style } from "../../shared/command_line/style.ts";
import { columnsOf, hanging } from "../../shared/command_line/text_columns.ts";
import type { DialPreview } from "../provider/dial_preview.ts";
import type { ReportedOverride } from "./report.ts";
import { titled } from "./titled.ts";

/** Of a request that names its own endpoint: who is trusted, what each pattern says, where it would go. */
export function overrideSections(override: ReportedOverride, style: Style): string[][] {
  return [
    titled("Trust", trustLines(override, style), style),
    titled("Patterns, in their order", patternLines(override.patterns, style), style),
    titled("Endpoint", endpointLines(override, style), style),
  ];
}

function trustLines({ trust: { ways, by, problem } }: ReportedOverride, style: Style): string[] {
  if (problem === null && ways.length === 0) return [];
  const [mark, paint] = problem === null ? [style.passed, style.good] : [style.failed, style.bad];
  const text = problem ?? `by ${ways.join(" and ")}${by === null ? "" : `: ${by}`}`;
  return hanging(`  ${mark}  `, text, {
    columns: style.columns,
    paintLabel: (label) => label.replace(mark, paint),
  });
}

/** Each pattern with its name before it, and below it what differs from it. The first that fits counts. */
export function patternLines(patterns: ReportedOverride["patterns"], style: Style): string[] {
  const names = columnsOf(patterns.map(({ name }) => [name]));
  return patterns.flatMap(({ pattern, fault }, at) => {
    const [mark, paint] = fault ? [style.failed, style.bad] : [style.passed, style.good];
    const label = `  ${mark}  ${names[at]}  `;
    const below = fault
      ? hanging(`${" ".repeat(mark.length + 6)}${fault.part}: `, fault.detail, {
          columns: style.columns,
          paint: style.faint,
          paintLabel: style.faint,
        })
      : [];
    return [
      ...hanging(label, pattern, {
        columns: style.columns,
        paintLabel: (text) => text.replace(mark, paint),
      }),
      ...below,
    ];
  });
}

const CREDENTIALS = {
  none: "none",
  passthrough: "passthrough: x-provider-authorization becomes Authorization",
  secret: "secret: the configured one becomes Authorization",
};

type EndpointFacts = Pick<
  ReportedOverride,
  "name" | "provider" | "scheme" | "host" | "port" | "credential" | "resolved"
> & { readonly stripped?: readonly string[] };

/** Where one is sent that is taken; nothing for one that is refused. */
export function endpointLines(
  { name, provider, scheme, host, port, credential, stripped = [], resolved }: EndpointFacts,
  style: Style,
): string[] {
  if (name === null || credential === null) return [];
  const facts: [name: string, text: string][] = [
    ["listed as", provider === null ? name : `${name}, of the provider ${provider}`],
    ["dials", `${host}, port ${port}, ${scheme === "https" ? "with TLS" : "without TLS"}`],
    ...(resolved ? [addressFact(resolved)] : []),
    ["credential", CREDENTIALS[credential]],
    ["kept back", stripped.join(", ")],
  ];
  return facts
    .filter(([, text]) => text !== "")
    .flatMap(([label, text]) =>
      hanging(`  ${label.padEnd(10)}  `, text, { columns: style.columns, paintLabel: style.faint }),
    );
}

function addressFact({ addresses, problem }: DialPreview): [string, string] {
  return problem === null ? ["addresses", addresses.join(", ")] : ["refused", problem];
}
