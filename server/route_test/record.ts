import { isDeepStrictEqual } from "node:util";
import { parse, stringify } from "smol-toml";
import { CommandError } from "../../shared/command_line/command_error.ts";
import { dryRun } from "./dry_run.ts";
import { readScenario } from "./read_scenario.ts";
import type { RouteReport } from "./report.ts";
import type { Expectations, RequestTable, WrittenFleet } from "./scenario_schema.ts";

/** Who asks has no say in where a request goes, and a recording is shown to others. */
const CREDENTIAL_HEADER = /authorization|cookie|key|token|secret|signature|password/i;

/**
 * A scenario file that expects what was found: it passes when it is run.
 * @throws CommandError when it would not, as the relay went by something that no scenario has in it
 */
export function recordScenario(request: RequestTable, fleet: WrittenFleet, report: RouteReport): string {
  const scenario = {
    title: titleOf(report),
    ...Object.fromEntries(Object.entries(fleet).filter(([, list]) => list && list.length > 0)),
    request: recordedRequest(request),
  };
  const again = reportOf(scenario, report.decision.type);
  if (isDeepStrictEqual(essenceOf(again), essenceOf(report)))
    return textOf({ ...scenario, expect: expectationsOf(again) });
  if (report.override)
    throw new CommandError(
      "Cannot record the scenario: its request names an endpoint of its own",
      "write [override] and who asks into the file by hand; docs/scenarios.md tells how",
    );
  throw new CommandError(
    `Cannot record the scenario: the relay says ${sayingOf(report)}, a scenario of it ${sayingOf(again)}`,
    "its settings (--allow-path, size limits) are no part of a scenario; run the same version on both ends",
  );
}

/** In a file, workers have names of their own; ids stay. */
function essenceOf({ decision, candidates, rejections }: RouteReport): unknown {
  return [
    decision.type,
    decision.code,
    candidates.map(({ worker_id, model }) => [worker_id, model]),
    rejections.map(({ worker_id, rule }) => [worker_id, rule]),
  ];
}

function sayingOf({ decision: { type, code } }: RouteReport): string {
  return code === null ? type : `${type} with ${code}`;
}

/** The same by what a reader of the file would find. */
function reportOf(scenario: object, decision: string): RouteReport {
  const { request, fleet } = readScenario(
    "the recorded scenario",
    textOf({ ...scenario, expect: { decision } }),
  );
  return dryRun(request, fleet);
}

function textOf(scenario: object): string {
  return `${stringify(scenario).trimEnd()}\n`;
}

function titleOf({ request: { method, path, model }, decision: { type, code } }: RouteReport): string {
  const asked = model === null ? `${method} ${path}` : `${method} ${path} for ${model}`;
  return `${asked}: ${code ?? type}`;
}

function expectationsOf({ decision, candidates, rejections }: RouteReport): Expectations {
  const { type, code, failed_rule } = decision;
  const [first] = candidates;
  return {
    decision: type,
    ...(code !== null && { code }),
    ...(failed_rule !== null && { failed_rule }),
    ...(first?.model && { model: first.model }),
    order: candidates.map(({ worker }) => worker),
    ...(rejections.length > 0 && {
      rejected: Object.fromEntries(rejections.map(({ worker, rule }) => [worker, rule])),
    }),
  };
}

/** A body is easier to read as a table, where that says the same. */
function recordedRequest({ headers, body_text, ...rest }: RequestTable): object {
  const kept = Object.entries(headers).filter(([name]) => !CREDENTIAL_HEADER.test(name));
  const body = body_text === undefined ? undefined : asTable(body_text);
  return {
    ...rest,
    ...(kept.length > 0 && {
      headers: Object.fromEntries(kept.map(([name, values]) => [name, oneOf(values)])),
    }),
    ...(body ? { body } : body_text !== undefined && { body_text }),
  };
}

function oneOf(values: string | string[]): string | string[] {
  const [first, ...more] = [values].flat();
  return first !== undefined && more.length === 0 ? first : values;
}

/** TOML has no null, and no word for some numbers. */
function asTable(text: string): object | undefined {
  try {
    const body = JSON.parse(text);
    return isDeepStrictEqual(parse(stringify({ body })), { body }) ? body : undefined;
  } catch {
    return undefined;
  }
}
