import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { CommandError } from "../../shared/command_line/command_error.ts";
import { readText, tellingWhy } from "../../shared/command_line/read_text.ts";
import type { Style } from "../../shared/command_line/style.ts";
import { columnsOf } from "../../shared/command_line/text_columns.ts";
import { RelayFailure } from "../../shared/failures.ts";
import { dryRun } from "./dry_run.ts";
import { judge } from "./expectations.ts";
import { readScenario, type Scenario } from "./read_scenario.ts";
import { verdictLines } from "./render_report.ts";
import type { ScenarioRun } from "./report.ts";

/**
 * Runs a scenario file, or every `*.toml` in a folder and below it, in the order of their names.
 * @throws CommandError for the first file that is no scenario, before any is run
 */
export function runScenarios(path: string): ScenarioRun {
  const scenarios = filesIn(path)
    .map((file) => readScenario(file, readText(file)))
    .map(runScenario);
  const failed = scenarios.filter(({ passed }) => !passed).length;
  return { version: 1, passed: scenarios.length - failed, failed, scenarios };
}

function filesIn(path: string): string[] {
  const names = tellingWhy(`Cannot read ${path}`, () =>
    statSync(path).isDirectory() ? readdirSync(path, { recursive: true, encoding: "utf8" }) : undefined,
  );
  if (names === undefined) return [path];
  const files = names.filter((name) => name.endsWith(".toml")).sort();
  if (files.length > 0) return files.map((name) => join(path, name));
  throw new CommandError(
    `Cannot run ${path}: wanted scenarios in it, found no .toml file`,
    "docs/scenarios.md tells what is in one",
  );
}

function runScenario({
  path: file,
  title,
  request,
  fleet,
  settings,
  expect,
}: Scenario): ScenarioRun["scenarios"][number] {
  try {
    const differences = judge(expect, dryRun(request, fleet, settings)).filter(({ holds }) => !holds);
    return { file, title, passed: differences.length === 0, differences };
  } catch (error) {
    if (!(error instanceof RelayFailure)) throw error;
    throw new CommandError(
      `Cannot run ${file}: ${error.options.detail}`,
      "a scenario asks for something that is routed",
    );
  }
}

/** One line for each, what differs below it, and a count. */
export function renderRun({ scenarios, passed, failed }: ScenarioRun, style: Style): string {
  const titles = columnsOf(scenarios.map(({ title }) => [title]));
  const lines = scenarios.flatMap(({ file, passed, differences }, at) => {
    const mark = passed ? style.good(style.passed) : style.bad(style.failed);
    return [
      `${mark}  ${titles[at]}  ${style.faint(file)}`,
      ...verdictLines(differences, style).map((line) => `  ${line}`),
    ];
  });
  const count =
    failed === 0 ? style.good(`${passed} passed`) : `${passed} passed, ${style.bad(`${failed} failed`)}`;
  return `${[...lines, count].map((line) => `${line}\n`).join("")}`;
}
