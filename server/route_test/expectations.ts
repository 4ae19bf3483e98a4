import { namesProvider } from "../routing/provider_name.ts";
import type { ReportedCandidate, RouteReport, Verdict } from "./report.ts";
import type { Expectations } from "./scenario_schema.ts";

type Check<Wanted> = (wanted: Wanted, report: RouteReport) => Verdict | Verdict[];
type Checks = { readonly [Key in keyof Expectations]-?: Check<NonNullable<Expectations[Key]>> };

const CHECKS: Checks = {
  decision: (wanted, { decision }) => equal("decision", wanted, decision.type),
  code: (wanted, { decision }) => equal("code", wanted, decision.code),
  failed_rule: (wanted, { decision }) => equal("failed_rule", wanted, decision.failed_rule),
  endpoint: (wanted, { override }) => equal("endpoint", wanted, override?.name),
  pattern: (wanted, { override }) => equal("pattern", wanted, override?.pattern),
  ways: (wanted, { override }) => equal("ways", wanted.join(", "), override?.trust.ways.join(", ") ?? ""),
  faults: (wanted, { override }) =>
    Object.entries(wanted).map(([text, part]) => {
      const found = override?.patterns.find(({ pattern }) => pattern === text)?.fault;
      return equal(`faults.${text}`, part, found?.part);
    }),
  stripped: (wanted, { override }) => {
    const stripped = override?.stripped ?? [];
    const holds = wanted.every((name) => stripped.includes(name));
    return verdict("stripped", wanted.join(", "), [stripped.join(", "), holds]);
  },
  provider: (wanted, { candidates: [first] }) =>
    verdict("provider", wanted, [
      first?.provider,
      first !== undefined && namesProvider(wanted, first.provider),
    ]),
  worker: (wanted, { candidates: [first] }) => equal("worker", wanted, first?.worker),
  model: (wanted, { candidates: [first] }) => equal("model", wanted, first?.model),
  order: checkOrder,
  rejected: (wanted, { rejections, absent }) =>
    Object.entries(wanted).map(([name, rule]) => {
      const found = [...rejections, ...absent].find(({ worker }) => worker === name);
      return equal(`rejected.${name}`, rule, found?.rule);
    }),
  reasons: (wanted, { candidates }) =>
    Object.entries(wanted).map(([name, part]) => {
      const found = candidates.find(({ worker }) => worker === name)?.reason;
      return verdict(`reasons.${name}`, part, [found, found?.includes(part)]);
    }),
  warnings: (wanted, { request: { warnings } }) =>
    verdict("warnings", wanted.join("; "), [
      warnings.join("; "),
      warnings.length === wanted.length && warnings.every((text, at) => text.includes(wanted[at]!)),
    ]),
  funnel: (wanted, { funnel }) =>
    Object.entries(wanted).map(([name, left]) =>
      equal(`funnel.${name}`, left, funnel.find(({ rule }) => rule === name)?.left),
    ),
};

/** Compares a report with what was expected of it, in the order of the expectations. */
export function judge(expect: Expectations, report: RouteReport): Verdict[] {
  return Object.entries(expect).flatMap(([key, wanted]) =>
    (CHECKS[key as keyof Checks] as Check<unknown>)(wanted, report),
  );
}

/** An expected name is the candidate's own or its provider's. */
function checkOrder(wanted: readonly string[], { candidates }: RouteReport): Verdict {
  const isAt = ({ worker, provider }: ReportedCandidate, at: number) =>
    worker === wanted[at] || namesProvider(wanted[at]!, provider);
  const found = candidates.map(({ worker, provider }) => `${worker} (${provider})`);
  const holds = candidates.length === wanted.length && candidates.every(isAt);
  return verdict("order", wanted.join(", "), [found.join(", "), holds]);
}

type Found = string | number | null | undefined;

function equal(what: string, wanted: string | number, found: Found): Verdict {
  return verdict(what, `${wanted}`, [found, found === wanted]);
}

function verdict(
  what: string,
  wanted: string,
  [found, holds = false]: [Found, boolean | undefined],
): Verdict {
  return { what, wanted: wanted || NONE, found: `${found ?? ""}` || NONE, holds };
}

/** What stands for nothing. */
const NONE = "none";
