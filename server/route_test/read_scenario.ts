import { z } from "zod";
import { CommandError } from "../../shared/command_line/command_error.ts";
import { nearest } from "../../shared/command_line/nearest.ts";
import { FAILURES } from "../../shared/failures.ts";
import { quote } from "../../shared/printable.ts";
import type { Spot } from "../../shared/settings/field.ts";
import { type KeyPath, lineOfKey, lineOfText } from "../../shared/settings/key_lines.ts";
import { parseToml } from "../../shared/settings/settings_file.ts";
import type { OverrideSettings } from "../override/override_settings.ts";
import { overrideTable } from "../override/override_table.ts";
import type { FleetSnapshot } from "../routing/types.ts";
import { DEFAULT_RELAY, type RelaySettings } from "./dry_run.ts";
import { fleetOf, idOfWorker } from "./fleet_of.ts";
import {
  type Expectations,
  type RequestTable,
  type ScenarioFile,
  scenarioSchema,
} from "./scenario_schema.ts";
import { nameOfKey, schemaComplaint } from "./schema_complaint.ts";
import { RequestMistake, type TestRequest, testRequest } from "./test_request.ts";

/** A relay as a file describes one. */
export interface Situation {
  readonly fleet: FleetSnapshot;
  readonly settings: RelaySettings;
}

/** A scenario that can be run. */
export interface Scenario extends Situation {
  readonly path: string;
  readonly title: string;
  readonly request: TestRequest;
  readonly expect: Expectations;
}

/** The fleet in a file; a scenario's will do. @throws CommandError naming file, line and key */
export function readFleet(path: string, text: string): Situation {
  return situationIn(path, text, readFile(path, text).file);
}

function situationIn(path: string, text: string, file: ScenarioFile): Situation {
  const override = file.override && readOverride(file.override, { path, text });
  return { fleet: fleetOf(file), settings: { ...DEFAULT_RELAY, override } };
}

/** The table as `serve` would read it, but for what stands elsewhere: secrets. */
function readOverride(table: object, { path, text }: { path: string; text: string }): OverrideSettings {
  const { data, error } = z.safeDecode(overrideTable.codec, table);
  if (data) return data;
  const { message, params } = error.issues[0] as z.core.$ZodIssueCustom;
  const { key, text: part } = (params as { spot: Spot }).spot;
  const line = lineOfKey(text, ["override", ...key]) ?? 1;
  const at = part === undefined ? line : lineOfText(text, line, part);
  throw new CommandError(`Cannot read ${path}: line ${at}: ${message}`, overrideTable.hint);
}

/** @throws CommandError naming file, line, key, what was wanted and what was found */
export function readScenario(path: string, text: string): Scenario {
  const { file, complain } = readFile(path, text);
  const { title, request, expect } = file;
  if (title === undefined) throw complain(["title"], "wanted a text, found nothing", TITLE_HINT);
  if (request === undefined) throw complain(["request"], "wanted a table, found nothing", REQUEST_HINT);
  if (expect === undefined || Object.keys(expect).length === 0) {
    throw complain(["expect"], "wanted what is to become of the request, found nothing", EXPECT_HINT);
  }
  checkExpectations(expect, file, complain);
  return { path, title, ...situationIn(path, text, file), request: readRequest(request, complain), expect };
}

const TITLE_HINT = 'say what the scenario shows: title = "order beats load"';
const REQUEST_HINT = 'write [request] and below it path = "/v1/chat/completions"';
const EXPECT_HINT = 'write [expect] and below it decision = "dispatch"';

type Complain = (key: KeyPath, problem: string, hint: string) => CommandError;

function readFile(path: string, text: string): { file: ScenarioFile; complain: Complain } {
  const values = parseToml(path, text);
  const complain: Complain = (key, problem, hint) => {
    const line = lineOfKey(text, key) ?? 1;
    return new CommandError(`Cannot read ${path}: line ${line}: ${nameOfKey(key)}: ${problem}`, hint);
  };
  const { data, error } = scenarioSchema.safeParse(values);
  if (error) {
    const { key, problem, hint } = schemaComplaint(scenarioSchema, error.issues[0]!, values);
    throw complain(key, problem, hint);
  }
  checkNames(data, complain);
  return { file: data, complain };
}

/** Everything else speaks of workers by their names. */
function checkNames(file: ScenarioFile, complain: Complain): void {
  const seen = { names: new Set<string>(), ids: new Set<string>() };
  for (const [at, worker] of file.worker.entries()) {
    const id = idOfWorker(worker, at + 1);
    if (seen.ids.has(id))
      throw complain(["worker", at, "id"], `${quote(id)} is there already`, "choose another id");
    seen.ids.add(id);
  }
  for (const list of ["worker", "absent"] as const) {
    for (const [at, { name }] of file[list].entries()) {
      if (seen.names.has(name))
        throw complain([list, at, "name"], `${quote(name)} is there already`, UNIQUE_HINT);
      seen.names.add(name);
    }
  }
  for (const list of ["session", "kept"] as const) {
    for (const [at, { worker }] of file[list].entries())
      checkWorker(worker, file, (...why) => complain([list, at, "worker"], ...why));
  }
}

const UNIQUE_HINT = "choose another name: what is expected names workers by it";

function checkWorker(
  name: string,
  file: ScenarioFile,
  complain: (problem: string, hint: string) => CommandError,
): void {
  const names = [...file.worker, ...file.absent].map((worker) => worker.name);
  if (names.includes(name)) return;
  const meant = nearest(name, names);
  throw complain(
    `there is no worker ${quote(name)}`,
    meant ? `the nearest is ${meant}` : `there are ${names.join(", ") || "none"}`,
  );
}

/** A slip in a name would otherwise look like a wrong decision. */
function checkExpectations(
  { code, worker, rejected, reasons }: Expectations,
  file: ScenarioFile,
  complain: Complain,
): void {
  if (code !== undefined && !Object.hasOwn(FAILURES, code)) {
    const meant = nearest(code, Object.keys(FAILURES));
    throw complain(
      ["expect", "code"],
      `there is no failure ${quote(code)}`,
      meant ? `the nearest is ${meant}` : "docs/failures.md lists them",
    );
  }
  if (worker !== undefined) checkWorker(worker, file, (...why) => complain(["expect", "worker"], ...why));
  for (const [table, names] of Object.entries({ rejected, reasons })) {
    for (const name of Object.keys(names ?? {}))
      checkWorker(name, file, (...why) => complain(["expect", table, name], ...why));
  }
}

function readRequest(request: RequestTable, complain: Complain): TestRequest {
  try {
    return testRequest(request);
  } catch (error) {
    if (!(error instanceof RequestMistake)) throw error;
    throw complain(["request", error.part], error.problem, error.hint);
  }
}
