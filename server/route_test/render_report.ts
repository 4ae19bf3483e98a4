import type { Style } from "../../shared/command_line/style.ts";
import { columnsOf, hanging } from "../../shared/command_line/text_columns.ts";
import { overrideSections } from "./render_override.ts";
import type { ReportedCandidate, ReportedRejection, RouteReport, Verdict } from "./report.ts";
import { titled } from "./titled.ts";

/** Nobody reads more lines of a kind; `--json` has them all. */
const LISTED_MAX = 40;
const BAR_MAX_CHARS = 24;

/** A report for people: what was understood, how many workers each rule left, who is first and why, the decision. */
export function renderReport(report: RouteReport, style: Style): string {
  const { candidates, rejections, absent, expectations = [] } = report;
  return [
    requestLines(report, style),
    ...(report.override ? overrideSections(report.override, style) : []),
    titled("Workers left after each rule", funnelLines(report, style), style),
    titled(
      "Candidates, best first",
      listed(candidates, (shown) => candidateLines(shown, style)),
      style,
    ),
    titled(
      "Rejected",
      listed(rejections, (shown) => rejectionLines(shown, style)),
      style,
    ),
    titled(
      "Left a moment ago",
      listed(absent, (shown) => rejectionLines(shown, style)),
      style,
    ),
    decisionLines(report, style),
    titled("Expected", verdictLines(expectations, style), style),
  ]
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.map((line) => `${line.trimEnd()}\n`).join(""))
    .join("\n");
}

function listed<Entry>(entries: readonly Entry[], toLines: (shown: readonly Entry[]) => string[]): string[] {
  const more = entries.length - LISTED_MAX;
  const lines = toLines(entries.slice(0, LISTED_MAX));
  return more > 0 ? [...lines, `  and ${more} more: --json lists all of them`] : lines;
}

function requestLines(
  { request, override, funnel }: RouteReport,
  { columns, strong, faint, warning }: Style,
): string[] {
  const { method, path, model, model_in, models, preferences, session, kept_ids, streaming, needs } = request;
  // Without a funnel it was refused before anybody looked for a model.
  const none = funnel.length > 0 ? "none" : "";
  const facts: (readonly [name: string, text: string])[] = [
    ["model", model === null ? none : `${model}, named in the ${model_in}`],
    ["or else", models.join(", ")],
    ["preferences", preferencesText(preferences)],
    ["session", session ?? ""],
    ["refers to", kept_ids.join(", ")],
    ["needs", needs.join(", ")],
    ["streaming", streaming ? "yes" : ""],
    ["override", override?.endpoint ?? ""],
  ];
  const label = (name: string) => `  ${name.padEnd(11)}  `;
  return [
    ...hanging("", `${method} ${path}`, { columns, paint: strong }),
    ...facts
      .filter(([, text]) => text !== "")
      .flatMap(([name, text]) => hanging(label(name), text, { columns, paintLabel: faint })),
    ...request.warnings.flatMap((text) =>
      hanging(label("warning"), text, { columns, paint: warning, paintLabel: warning }),
    ),
  ];
}

function preferencesText(preferences: RouteReport["request"]["preferences"]): string {
  return Object.entries(preferences)
    .map(([name, value]) => `${name} ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join("; ");
}

/** Only of rules that somebody fell to: the others say nothing. */
function funnelLines({ funnel }: RouteReport, { bar, good, bad, faint, columns }: Style): string[] {
  const all = funnel[0]?.left ?? 0;
  const steps = funnel.map(({ rule, left }, at) => ({
    rule,
    left,
    fell: (funnel[at - 1]?.left ?? all) - left,
  }));
  const telling = steps.filter(({ fell }, at) => at === 0 || fell > 0);
  if (telling.length === 0) return [];
  const rows = columnsOf(telling.map(({ rule, left }) => [rule, `${left}`.padStart(`${all}`.length)]));
  const lines = telling.map(({ left, fell }, at) => {
    const length = left === 0 ? 0 : Math.max(1, Math.round((left / all) * BAR_MAX_CHARS));
    const drop = fell > 0 ? `  ${bad(`-${fell}`)}` : "";
    const filled = length === 0 ? "" : good(bar.repeat(length));
    return `  ${rows[at]}  ${filled}${" ".repeat(BAR_MAX_CHARS - length)}${drop}`;
  });
  const silent = steps.length - telling.length;
  return silent === 0
    ? lines
    : [...lines, ...hanging("  ", `nobody fell to the other ${silent} rules`, { columns, paint: faint })];
}

function candidateLines(
  candidates: readonly ReportedCandidate[],
  { columns, strong, faint }: Style,
): string[] {
  const width = `${candidates.length}`.length;
  const rows = columnsOf(
    candidates.map(({ worker, provider, model, load, max_concurrent }) => [
      worker,
      provider,
      model ?? "",
      `${load} of ${max_concurrent} busy`,
    ]),
  );
  return candidates.flatMap(({ rank, reason }, at) => [
    `  ${`${rank}`.padStart(width)}  ${rank === 1 ? strong(rows[at]!) : rows[at]}`,
    ...hanging(" ".repeat(width + 4), reason, { columns, paint: faint }),
  ]);
}

function rejectionLines(rejections: readonly ReportedRejection[], { columns, faint }: Style): string[] {
  const rows = columnsOf(rejections.map(({ worker, provider }) => [worker, provider]));
  return rejections.flatMap(({ rule, detail }, at) =>
    hanging(`  ${rows[at]}  `, `${rule}: ${detail}`, { columns, paint: faint }),
  );
}

function decisionLines(
  { decision, candidates, override }: RouteReport,
  { columns, good, bad, warning, strong }: Style,
): string[] {
  const { type, code, status, failed_rule } = decision;
  const paints = { dispatch: good, wait: warning, refuse: bad };
  const paint = (text: string) => strong(paints[type](text));
  const lines = (text: string) => hanging(`${type}: `, text, { columns, paint, paintLabel: paint });
  if (type === "refuse") {
    const at = failed_rule === null ? "" : `, as nobody passed ${failed_rule}`;
    return [...lines(`${status} ${code}${at}`), ...hanging("        ", decision.message ?? "", { columns })];
  }
  if (override) return lines(`to ${override.name}, and nowhere else`);
  const [first] = candidates;
  if (!first) return lines("in line, as who could take it is draining, unhealthy or left a moment ago");
  const to = `${first.worker} (${first.provider})${first.model === null ? "" : ` with ${first.model}`}`;
  if (type === "dispatch") return lines(`to ${to}`);
  return lines(
    candidates.length === 1 ? `in line, as ${to} is busy` : `in line, as all are busy; first comes ${to}`,
  );
}

/** Each expectation, with what was found where it does not hold. */
export function verdictLines(verdicts: readonly Verdict[], style: Style): string[] {
  const names = columnsOf(verdicts.map(({ what }) => [what]));
  return verdicts.flatMap(({ wanted, found, holds }, at) => {
    const [mark, paint] = holds ? [style.passed, style.good] : [style.failed, style.bad];
    const label = `  ${mark}  ${names[at]}  `;
    const look = { columns: style.columns, paintLabel: (text: string) => text.replace(mark, paint) };
    if (holds) return hanging(label, wanted, look);
    const below = " ".repeat(label.length);
    return [...hanging(`${label}wanted `, wanted, look), ...hanging(`${below}found  `, found, look)];
  });
}
