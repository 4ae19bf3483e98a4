import type { CommandIo } from "../../shared/command_line/command.ts";
import { CommandError } from "../../shared/command_line/command_error.ts";
import { readText, writeText } from "../../shared/command_line/read_text.ts";
import { styleOf } from "../../shared/command_line/style.ts";
import { RelayFailure } from "../../shared/failures.ts";
import { namesEndpoint } from "../request_headers.ts";
import { askRelay } from "./ask_relay.ts";
import { dryRun, routeRequestOf } from "./dry_run.ts";
import { judge } from "./expectations.ts";
import { readFleet, type Situation } from "./read_scenario.ts";
import { recordScenario } from "./record.ts";
import { recordFleet } from "./record_fleet.ts";
import { renderReport } from "./render_report.ts";
import type { RecordedReport, RouteReport } from "./report.ts";
import { requestOf, requestTable } from "./request_flags.ts";
import { resolvedReport } from "./resolved_report.ts";
import { renderRun, runScenarios } from "./run_scenarios.ts";
import type { Expectations, RequestTable } from "./scenario_schema.ts";
import type { RouteTestSettings } from "./settings.ts";
import type { TestRequest } from "./test_request.ts";

/** It would be routed or wait in line, or all is as expected. */
const EXIT_AS_WANTED = 0;
/** It would be refused, or something is not as expected. */
const EXIT_NOT_AS_WANTED = 1;

/** `signalbox route-test`. Gives the exit code. @throws CommandError before anything is printed */
export function routeTest(
  settings: RouteTestSettings,
  io: CommandIo,
  operands: readonly string[],
): Promise<number> {
  const { scenario } = settings;
  return scenario === undefined
    ? testOne(settings, io, operands)
    : testScenarios(scenario, settings, { io, operands });
}

async function testScenarios(
  path: string,
  { json, color }: RouteTestSettings,
  { io, operands }: { io: CommandIo; operands: readonly string[] },
): Promise<number> {
  if (operands.length > 0) {
    throw new CommandError(
      `Cannot run ${operands.join(" ")}: there is --scenario too`,
      "a scenario has its own request: leave one of them out",
    );
  }
  const run = runScenarios(path);
  io.out(json ? printedJson(run) : renderRun(run, styleOf(color, io)));
  return run.failed === 0 ? EXIT_AS_WANTED : EXIT_NOT_AS_WANTED;
}

async function testOne(
  settings: RouteTestSettings,
  io: CommandIo,
  operands: readonly string[],
): Promise<number> {
  const { json, color, record } = settings;
  const [method, path] = operands;
  if (method === undefined || path === undefined) throw NO_REQUEST();
  const table = await requestTable(settings, [method, path], io);
  const { fleet, ...found } = await reportOn(table, settings);
  const verdicts = judge(expectationsOf(settings), found);
  const report = verdicts.length > 0 ? { ...found, expectations: verdicts } : found;
  const scenario = fleet && recordScenario(table, fleet, found);
  if (scenario !== undefined && record !== "-") writeText(record!, scenario);
  if (scenario !== undefined && record === "-") io.out(scenario);
  else io.out(json ? printedJson(report) : renderReport(report, styleOf(color, io)));
  return exitCodeOf(report);
}

function exitCodeOf({ decision, expectations, override }: RouteReport): number {
  // An endpoint without an address that may be dialled is a failure too, found by who looked.
  const sent = decision.type !== "refuse" && !override?.resolved?.problem;
  const asWanted = expectations ? expectations.every(({ holds }) => holds) : sent;
  return asWanted ? EXIT_AS_WANTED : EXIT_NOT_AS_WANTED;
}

function printedJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** The report; the fleet too, when it is to be recorded. */
async function reportOn(table: RequestTable, settings: RouteTestSettings): Promise<RecordedReport> {
  const { server, fleet, adminToken, caFile, resolve = false } = settings;
  const record = settings.record !== undefined;
  // Also what is asked of a relay: the mistake of a flag is told by its name.
  const request = requestOf(table, settings);
  if (server !== undefined) {
    const caPem = caFile === undefined ? {} : { caPem: [readText(caFile)] };
    return askRelay(table, { server, adminToken, record, resolve, ...caPem });
  }
  if (fleet === undefined) throw NO_FLEET();
  const situation = readFleet(fleet, readText(fleet));
  const report = await resolvedReport(dryRunOf(request, situation), situation.settings, resolve);
  return record ? { ...report, fleet: recordFleet(situation.fleet, routeRequestOf(request)) } : report;
}

function dryRunOf(request: TestRequest, { fleet, settings }: Situation): RouteReport {
  try {
    return dryRun(request, fleet, settings);
  } catch (error) {
    if (!(error instanceof RelayFailure)) throw error;
    throw new CommandError(
      `Cannot route the request: ${error.options.detail}`,
      namesEndpoint(request.headers)
        ? "give --server, or a scenario that says who asks; docs/override.md shows some"
        : "ask about what is relayed to workers, such as POST /v1/chat/completions",
    );
  }
}

const NO_REQUEST = () =>
  new CommandError(
    "Cannot run route-test: wanted METHOD PATH or --scenario, found neither",
    "write route-test POST /v1/chat/completions --model llama3 --fleet fleet.toml",
  );

const NO_FLEET = () =>
  new CommandError(
    "Cannot run route-test: wanted a fleet, found neither --fleet nor --server",
    "give --fleet FILE, or --server URL of a running relay",
  );

function expectationsOf(settings: RouteTestSettings): Expectations {
  const { expect, expectCode, expectProvider, expectWorker, expectOrder, expectEndpoint } = settings;
  return {
    ...(expect !== undefined && { decision: expect }),
    ...(expectCode !== undefined && { code: expectCode }),
    ...(expectProvider !== undefined && { provider: expectProvider }),
    ...(expectWorker !== undefined && { worker: expectWorker }),
    ...(expectOrder !== undefined && { order: expectOrder }),
    ...(expectEndpoint !== undefined && { endpoint: expectEndpoint }),
  };
}
