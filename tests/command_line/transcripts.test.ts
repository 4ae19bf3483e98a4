import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { program } from "../../main.ts";
import type { CommandIo } from "../../shared/command_line/command.ts";
import { runProgram } from "../../shared/command_line/run.ts";
import { Program } from "../support/program.ts";

/**
 * A transcript is what somebody typed and saw. Lines:
 *
 * - `# …` a remark
 * - `$ NAME=value signalbox …` run it; a word in single quotes may hold spaces. `COLUMNS=80`: at a terminal
 * - `< …` a line on its standard input
 * - `> …`, `! …` a line that it prints on standard output, on standard error; `…` in it stands for anything, `␛` for
 *   the ESC of a terminal's control sequence
 * - `> ⋮` some lines, or none
 * - `^C` it goes on until then, as a process of its own, and what stands above was printed
 * - `[2]` its exit code, 0 when left out
 * - `--- FILE` what follows, up to an empty line, is the content of that file in the current folder
 */
const FOLDER = new URL("./transcripts/", import.meta.url);

interface Step {
  command: string;
  input: string[];
  output: string[];
  /** How much of the output was there when it was told to stop. */
  stoppedAt?: number;
  code: number;
}

const COMMANDS = program.commands.map(({ name }) => name);
const names = readdirSync(FOLDER).filter((name) => name.endsWith(".txt"));

test("there are transcripts of every command: its help, a mistake, and what it says when it goes on", () => {
  const steps = names.flatMap((name) => parse(readFileSync(new URL(name, FOLDER), "utf8")).steps);
  const typed = (name: string, wanted: (step: Step, rest: string) => boolean) =>
    steps.some((step) => {
      const [, args = ""] = step.command.split(/(?:^| )signalbox /);
      return args.startsWith(`${name} `) && wanted(step, args.slice(name.length + 1));
    });
  const lacking = (wanted: (step: Step, rest: string) => boolean, among = COMMANDS) =>
    among.filter((name) => !typed(name, wanted));
  assert.deepEqual(
    lacking((_, rest) => /^(?:[a-z]+ )?--help$/.test(rest)),
    [],
  );
  assert.deepEqual(
    lacking(({ code, output }) => code === 2 && output.some((line) => /^! signalbox: hint: /.test(line))),
    [],
  );
  assert.deepEqual(
    lacking(({ stoppedAt = 0 }) => stoppedAt > 0, ["serve", "worker", "demo"]),
    [],
  );
});

/** macOS has other services. */
const OF_LINUX = ["service.txt"];

for (const name of names) {
  const skip = OF_LINUX.includes(name) && process.platform !== "linux" ? "needs Linux" : undefined;
  test(`transcript ${name}`, { skip }, async () => {
    const { files, steps } = parse(readFileSync(new URL(name, FOLDER), "utf8"));
    assert.ok(steps.length > 0);
    await inFolder(files, async () => {
      for (const step of steps) await replay(step);
    });
  });
}

function parse(text: string): { files: Map<string, string>; steps: Step[] } {
  const files = new Map<string, string>();
  const steps: Step[] = [];
  let file: string | undefined;
  for (const line of text.split("\n")) {
    const step = steps.at(-1);
    if (line.startsWith("--- ")) file = line.slice(4);
    else if (line === "") file = undefined;
    else if (file) files.set(file, `${files.get(file) ?? ""}${line}\n`);
    else if (line.startsWith("#")) continue;
    else if (line.startsWith("$ ")) steps.push({ command: line.slice(2), input: [], output: [], code: 0 });
    else if (step && line === "^C") step.stoppedAt = step.output.length;
    else if (step && /^\[\d+\]$/.test(line)) step.code = Number(line.slice(1, -1));
    else if (step && line.startsWith("<")) step.input.push(line.slice(2));
    else if (step && /^[>!]/.test(line)) step.output.push(line.trimEnd());
    else assert.fail(`no such line: ${line}`);
  }
  return { files, steps };
}

async function inFolder(files: ReadonlyMap<string, string>, act: () => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "signalbox-transcript-"));
  const before = process.cwd();
  try {
    process.chdir(folder);
    for (const [file, text] of files) {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
    await act();
  } finally {
    process.chdir(before);
    rmSync(folder, { recursive: true });
  }
}

async function replay(step: Step): Promise<void> {
  const { command, output, code } = step;
  const [variables = "", args = ""] = command.split(/(?:^| )signalbox ?/);
  const env = Object.fromEntries(
    variables.split(" ").map((pair) => [pair.split("=")[0], pair.split("=")[1]]),
  );
  const run = step.stoppedAt === undefined ? runHere : runUntilStopped;
  const { exit, out, err } = await run(step, wordsOf(args), env);
  const expected = [">", "!"].map((mark) => output.filter((line) => line[0] === mark));
  const found = [marked(">", out), marked("!", err)];
  assert.deepEqual(
    { lines: found.map((lines, at) => fitted(expected[at]!, lines)), exit },
    { lines: expected, exit: code },
    command,
  );
}

type Ended = { exit: number; out: string; err: string };
type Environment = Record<string, string | undefined>;

async function runHere({ input }: Step, args: string[], env: Environment): Promise<Ended> {
  const printed = { out: "", err: "" };
  const io: CommandIo = {
    out: (text) => {
      printed.out += text;
    },
    err: (text, done) => {
      printed.err += text;
      done?.();
    },
    stdin: () => Promise.resolve(input.map((line) => `${line}\n`).join("")),
    terminal: env.COLUMNS ? { columns: Number(env.COLUMNS) } : undefined,
    env,
  };
  return { exit: await runProgram(program, args, io), ...printed };
}

async function runUntilStopped(
  { output, stoppedAt }: Step,
  args: string[],
  env: Environment,
): Promise<Ended> {
  const variables = Object.entries(env).filter((pair): pair is [string, string] => pair[1] !== undefined);
  await using running = new Program(args, { cwd: process.cwd(), env: Object.fromEntries(variables) });
  for (const line of output.slice(0, stoppedAt).filter((each) => !each.endsWith("⋮")))
    await running.says(new RegExp(patternOf(line.slice(2)), "m"));
  // With the child's own kill() Deno would say that the signal ended it.
  process.kill(running.pid, "SIGINT");
  return { exit: await running.exited, out: running.stdout, err: running.stderr };
}

function wordsOf(args: string): string[] {
  return [...args.matchAll(/(?:'[^']*'|[^\s'])+/g)].map(([word]) => word.replaceAll("'", ""));
}

function marked(mark: string, text: string): string[] {
  assert.ok(text === "" || text.endsWith("\n"), `half a line: ${text}`);
  return text
    .replaceAll("\x1b", "␛")
    .split("\n")
    .slice(0, -1)
    .map((line) => `${mark} ${line}`.trimEnd());
}

/** The printed lines, with the expected one in place of each that fits its `…` or `⋮`. */
function fitted(expected: readonly string[], lines: readonly string[]): string[] {
  const fits = (at: number, line: string) =>
    at < expected.length && new RegExp(`^${patternOf(expected[at]!)}$`).test(line);
  const found: string[] = [];
  for (const line of lines) {
    const skipping = expected[found.length]?.endsWith(" ⋮") ?? false;
    if (skipping && !fits(found.length + 1, line)) continue;
    if (skipping) found.push(expected[found.length]!);
    found.push(fits(found.length, line) ? expected[found.length]! : line);
  }
  const rest = expected.slice(found.length);
  return rest.length === 1 && rest[0]!.endsWith(" ⋮") ? [...found, ...rest] : found;
}

/** Matches what fits a line's `…`. */
function patternOf(line: string): string {
  return line
    .split("…")
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
    .join(".*");
}
