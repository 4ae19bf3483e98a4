import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { program } from "../../main.ts";
import type { CommandIo } from "../../shared/command_line/command.ts";
import { runProgram } from "../../shared/command_line/run.ts";

/**
 * A transcript is what somebody typed and saw. Lines:
 *
 * - `# …` a remark
 * - `$ NAME=value signalbox …` run it; a word in single quotes may hold spaces. `COLUMNS=80`: at a terminal
 * - `< …` a line on its standard input
 * - `> …`, `! …` a line that it prints on standard output, on standard error; `…` in it stands for anything, `␛` for
 *   the ESC of a terminal's control sequence
 * - `[2]` its exit code, 0 when left out
 * - `--- FILE` what follows, up to an empty line, is the content of that file in the current folder
 */
const FOLDER = new URL("./transcripts/", import.meta.url);

interface Step {
  command: string;
  input: string[];
  output: string[];
  code: number;
}

const names = readdirSync(FOLDER).filter((name) => name.endsWith(".txt"));

test("there are transcripts", () => assert.ok(names.length >= 4));

for (const name of names) {
  test(`transcript ${name}`, async () => {
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

async function replay({ command, input, output, code }: Step): Promise<void> {
  const [variables = "", args = ""] = command.split(/(?:^| )signalbox ?/);
  const env = Object.fromEntries(
    variables.split(" ").map((pair) => [pair.split("=")[0], pair.split("=")[1]]),
  );
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
  const exit = await runProgram(program, wordsOf(args), io);
  const lines = [...marked("!", printed.err), ...marked(">", printed.out)];
  const expected = [...output.filter((line) => line[0] === "!"), ...output.filter((line) => line[0] === ">")];
  assert.deepEqual(
    { lines: lines.map((line, i) => same(expected[i], line)), exit },
    { lines: expected, exit: code },
    command,
  );
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

/** The expected line, when what was printed fits its `…`. */
function same(expected: string | undefined, line: string): string {
  if (!expected?.includes("…")) return line;
  const pattern = expected.split("…").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${pattern.join(".*")}$`).test(line) ? expected : line;
}
