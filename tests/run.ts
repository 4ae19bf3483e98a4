/**
 * Runs every check and test there is, and ends with one line that counts them: what `npm test` does.
 *
 * The same unit and contract tests run under Bun and under Deno; the end-to-end tests start the program as
 * processes, on each runtime and as the executable, which is built before; and on each of the three over framed links,
 * then over plain ones what starts a worker. `bun tests/run.ts PATH…` runs the named files only, in the same way.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { FORMS, type LinkForm } from "./support/link_form.ts";
import { BUN, DENO } from "./support/runtimes.ts";
import { testsWithLinks } from "./support/tests_with_links.ts";

interface Step {
  name: string;
  command: string[];
  env?: Record<string, string>;
  /** Where the command writes its results; without one the step itself is the test. */
  junit?: string;
}

interface Count {
  passed: number;
  failed: number;
  skipped: number;
}

interface Result extends Count {
  /** What did not pass, to be named again at the very end. */
  failures: string[];
}

const scratch = mkdtempSync(join(tmpdir(), "signalbox-tests-"));
const junit = (name: string) => join(scratch, `${name}.xml`);

/** For one test; Bun's own 5 s are few for a process that starts on a busy machine. */
const PATIENCE_MS = 30_000;

/** A step that hangs is a failure, not the end of the run: `deno test` waits for a test for ever. */
const STEP_MAX_MS = 12 * 60_000;

const END_TO_END = "tests/end_to_end";
const unitPaths = [
  "tests/architecture",
  "tests/command_line",
  "tests/deploy",
  "tests/routing",
  "tests/server",
  "tests/shared",
  "tests/support",
  "tests/worker",
];

function bunTest(name: string, paths: string[], env?: Record<string, string>): Step {
  const outfile = junit(name);
  const reporter = ["--reporter=junit", `--reporter-outfile=${outfile}`];
  return {
    name,
    command: [BUN, "test", `--timeout=${PATIENCE_MS}`, ...reporter, ...paths.map((path) => `./${path}`)],
    junit: outfile,
    ...(env && { env }),
  };
}

function denoTest(name: string, paths: string[]): Step {
  const outfile = junit(name);
  return {
    name,
    command: [DENO, "test", "-A", "--no-check", `--junit-path=${outfile}`, ...paths],
    junit: outfile,
  };
}

function steps(only: string[]): Step[] {
  const existing = (paths: string[]) => paths.filter((path) => existsSync(path));
  const unit = existing(only.length > 0 ? only.filter((path) => !path.includes("end_to_end")) : unitPaths);
  const whole = existing(only.length > 0 ? only.filter((path) => path.includes("end_to_end")) : [END_TO_END]);
  return [
    ...(only.length === 0 ? [{ name: "check", command: [BUN, "run", "check"] }] : []),
    ...(unit.length > 0 ? [bunTest("unit tests on Bun", unit), denoTest("unit tests on Deno", unit)] : []),
    ...(whole.length > 0
      ? [
          ...endToEnd("Bun", whole, { SIGNALBOX_TEST_RUNTIME: "bun" }),
          ...endToEnd("Deno", whole, { SIGNALBOX_TEST_RUNTIME: "deno" }),
          { name: "build", command: [BUN, "deploy/build.ts"] },
          // With an override that nobody asks for, which is to change nothing.
          ...endToEnd("the binary", whole, {
            SIGNALBOX_TEST_RUNTIME: "binary",
            SIGNALBOX_TEST_OVERRIDE: "1",
          }),
        ]
      : []),
  ];
}

function endToEnd(runtime: string, paths: string[], env: Record<string, string>): Step[] {
  const overEach: Record<LinkForm, string[]> = { framed: paths, plain: testsWithLinks(paths) };
  return FORMS.filter((form) => overEach[form].length > 0).map((form) =>
    bunTest(`end to end on ${runtime}, ${form} links`, overEach[form], { ...env, SIGNALBOX_TEST_FORM: form }),
  );
}

async function run(step: Step): Promise<Result> {
  console.log(`\n=== ${step.name}`);
  const exitCode = await exitOf(step);
  const found = step.junit && existsSync(step.junit) ? count(readFileSync(step.junit, "utf8")) : undefined;
  // A file that cannot be loaded has no test cases to fail.
  const broken = exitCode !== 0 && (found?.failed ?? 0) === 0 ? 1 : 0;
  const failures = [...(found?.failures ?? []), ...(broken ? [`(it ended with ${exitCode})`] : [])];
  if (!found) return { passed: 1 - broken, failed: broken, skipped: 0, failures };
  return { ...found, failed: found.failed + broken, failures };
}

function exitOf({ command, env }: Step): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(command[0]!, command.slice(1), {
      stdio: ["ignore", "inherit", "inherit"],
      // No test needs a network.
      env: { ...process.env, DENO_NO_UPDATE_CHECK: "1", ...env },
    });
    const patience = setTimeout(() => {
      console.error(`Cannot wait longer for ${command[0]}: it ran for ${STEP_MAX_MS / 60_000} minutes`);
      child.kill("SIGKILL");
    }, STEP_MAX_MS);
    child.on("error", (error) => {
      console.error(`Cannot run ${command[0]}: ${error.message}`);
      resolve(127);
    });
    child.on("close", (code) => {
      clearTimeout(patience);
      resolve(code ?? 1);
    });
  });
}

/** Counts the cases of a JUnit report. A case without anything in it passed. */
function count(xml: string): Result {
  const cases = xml.match(/<testcase\b[^>]*?(?:\/>|>[\s\S]*?<\/testcase>)/g) ?? [];
  const failures = cases
    .filter((text) => /<(failure|error)\b/.test(text))
    .map((text) => text.slice(0, 2_000));
  const failed = failures.length;
  const skipped = cases.filter((text) => /<skipped\b/.test(text)).length;
  return { passed: cases.length - failed - skipped, failed, skipped, failures };
}

const total: Count = { passed: 0, failed: 0, skipped: 0 };
const failures: string[] = [];
for (const step of steps(process.argv.slice(2))) {
  const startedMs = performance.now();
  const found = await run(step);
  const counts = `${found.passed} passed, ${found.failed} failed, ${found.skipped} skipped`;
  console.log(`--- ${step.name}: ${counts}, in ${Math.round((performance.now() - startedMs) / 1000)} s`);
  for (const key of ["passed", "failed", "skipped"] as const) total[key] += found[key];
  failures.push(...found.failures.map((failure) => `${step.name}: ${failure}`));
}
rmSync(scratch, { recursive: true });
// Last, where somebody who has the end of a long log finds them.
if (failures.length > 0) console.log(`\nFailed:\n${failures.join("\n")}`);
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : "";
console.log(`\n${total.passed} passed, ${total.failed} failed${skipped}`);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
