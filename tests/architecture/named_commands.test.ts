import assert from "node:assert/strict";
import { test } from "node:test";
import { program } from "../../main.ts";
import { parseFlags } from "../../shared/command_line/parse_flags.ts";
import { flagsFor, runProgram } from "../../shared/command_line/run.ts";
import { PROJECT_FILES, read, sources } from "./source_tree.ts";

/** Commands that a sentence names: in documents, and in what the program prints, its hints above all. */

const NAMES = program.commands.map(({ name }) => name);
/** Words that several commands begin with. */
const GROUPS = [...new Set(NAMES.filter((name) => name.includes(" ")).map((name) => name.split(" ")[0]!))];
const FIRST_WORDS = [...GROUPS, ...NAMES.filter((name) => !name.includes(" "))].join("|");

interface Named {
  readonly path: string;
  /** Without the name of the program. */
  readonly command: string;
}

/** In a document's backticks; fenced blocks are typed elsewhere. */
function inDocument(path: string): Named[] {
  const prose = read(path).replaceAll(/^```[\s\S]*?^```$/gm, "");
  const spans = [...prose.matchAll(/`([^`]+)`/g)].map(([, span]) => span!.replaceAll(/\s+/g, " "));
  const starter = new RegExp(
    `^(?:signalbox (?![A-Z])|(?:npx )?bun main\\.ts |(?=(?:${FIRST_WORDS}) [a-z-]))`,
  );
  return spans
    .filter((span) => starter.test(span) && !span.endsWith("…"))
    .map((span) => ({ path, command: span.replace(starter, "") }));
}

const IN_BACKTICKS = /`signalbox ([^`\n]+)`/g;
/** Up to where the sentence goes on. */
const BARE = new RegExp(
  `(?<!\`)\\bsignalbox ((?:${NAMES.join("|")}|--help|--version)\\b(?:'[^'\\n]*'|[^\`";,'\\n\\\\])*)`,
  "g",
);

/** In a text of the program. What it puts in is taken for `serve`. */
function inSource(path: string): Named[] {
  const code = read(path)
    .replaceAll(/^\s*(?:\*|\/\/|\/\*).*$/gm, "")
    .replaceAll(/\\\\\n *| ---(?=\\)/g, "")
    .replaceAll("\\`", "`")
    .replaceAll(/\$\{[^{}]*\}/g, "serve");
  const found = [...code.matchAll(IN_BACKTICKS), ...code.matchAll(BARE)];
  return found.map(([, command]) => ({ path, command: command!.trim() }));
}

const inDocuments = PROJECT_FILES.filter((path) => path.endsWith(".md")).flatMap(inDocument);
const inProgram = sources("server", "worker", "shared").concat("main.ts").flatMap(inSource);
const inDeploy = PROJECT_FILES.filter((path) => /^deploy\/\w+\/(?!.*\.(?:ts|sh)$)/.test(path)).flatMap(
  inSource,
);

/** In the hints that are made when they are printed. */
const inHints = PROJECT_FILES.filter((path) => path.startsWith("tests/command_line/transcripts/")).flatMap(
  (path) =>
    [...read(path).matchAll(/^! signalbox: hint: (.*)$/gm)].flatMap(([, hint]) => {
      const meant = /^did you mean (?:signalbox )?([a-z].*)\?$/.exec(hint!)?.[1];
      const named = [...hint!.matchAll(IN_BACKTICKS), ...hint!.matchAll(BARE)].map(([, command]) => command!);
      return (meant ? [meant] : named).map((command) => ({ path, command: command.trim() }));
    }),
);

/** The words of a line that a shell would hand over, without what is the shell's own. */
function wordsOf(command: string): string[] {
  const line = command.replace(/ *(?:>>?|<|\|) .*$/, "");
  return [...line.matchAll(/(?:'[^']*'|[^\s'])+/g)].map(([word]) => word.replaceAll("'", ""));
}

/** @throws Error for what the program would not take */
async function understand({ path, command: text }: Named): Promise<void> {
  const words = wordsOf(text);
  const name = NAMES.find((known) => `${words.join(" ")} `.startsWith(`${known} `));
  if (!name)
    return assert.ok(["--help", "--version"].includes(words[0]!) || isGroup(words), "no such command");
  const { roles, open } = program.commands.find((command) => command.name === name)!;
  const rest = words.slice(name.split(" ").length);
  const role = roles?.names.find((known) => known === rest[0]);
  const flags = flagsFor(await open(role ?? roles?.names[0]));
  if (!path.endsWith(".md")) return void parseFlags(rest, flags);
  // A document may name a flag and leave its value out.
  for (const word of rest.filter((each) => each.startsWith("--")))
    assert.ok(
      flags.some((flag) => word.split("=")[0] === `--${flag.name}`),
      word,
    );
}

/** The group alone, such as `config`, or with its commands as alternatives. */
function isGroup([group = "", ...more]: readonly string[]): boolean {
  const known = NAMES.filter((name) => name.startsWith(`${group} `)).map((name) => name.split(" ")[1]!);
  return GROUPS.includes(group) && (more[0] ?? known[0]!).split("|").every((word) => known.includes(word));
}

test("there are named commands", () => {
  assert.ok(inDocuments.length > 60, String(inDocuments.length));
  assert.ok(inProgram.length > 40, String(inProgram.length));
  assert.ok(inDeploy.length > 3, String(inDeploy.length));
  assert.ok(inHints.length > 10, String(inHints.length));
});

test("every command that a sentence names is one of the program, and takes the flags beside it", async () => {
  const wrong: string[] = [];
  for (const named of [...inDocuments, ...inProgram, ...inDeploy, ...inHints]) {
    const mistake = await understand(named).catch((error: Error) => error);
    if (mistake) wrong.push(`${named.path}: ${named.command}: ${mistake.message}`);
  }
  assert.deepEqual(wrong, []);
});

test("every file of the project that a command of a sentence names exists", () => {
  const named = PROJECT_FILES.filter((path) => path.endsWith(".md"))
    .flatMap((path) => [...read(path).matchAll(/`([^`\n]+ [^`\n]+)`/g)])
    .flatMap(([, span]) => span!.split(" "))
    .filter((word) => /^(?:bench|deploy|docs|server|shared|tests|worker)\/[\w./-]+$/.test(word));
  assert.ok(named.length > 10, String(named.length));
  assert.deepEqual(
    named.filter((word) => !PROJECT_FILES.some((path) => `${path}/`.startsWith(word.replace(/\/?$/, "/")))),
    [],
  );
});

/** The others take a relay, or go on: the pages of the manual, where they stand too, are typed. */
const ENDS_BY_ITSELF = /^(?:keys hash|--help|--version|\w+ --help)/;

test("every hint's command that ends by itself can be run as it is printed", async () => {
  const lines = new Set(inProgram.map(({ command }) => command).filter((line) => ENDS_BY_ITSELF.test(line)));
  assert.ok(lines.size > 3);
  for (const line of lines) {
    let printed = "";
    const out = (text: string) => {
      printed += text;
    };
    const io = { out, err: () => {}, stdin: async () => "a-key-of-the-tests\n", env: {} };
    assert.equal(await runProgram(program, wordsOf(line), io), 0, line);
    assert.notEqual(printed, "", line);
  }
});
