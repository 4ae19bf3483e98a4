import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { ROUTE_TEST_NOTES } from "../../server/route_test/help.ts";
import { canMakeCertificates } from "../support/certificates.ts";
import { noCurl } from "../support/curl.ts";
import { lacks } from "../support/tools.ts";
import { commandsIn, OF_A_MACHINE } from "./fenced_commands.ts";
import { Reader } from "./reader.ts";
import { PROJECT_FILES, read } from "./source_tree.ts";

/** What the manual says to type can be typed, from the top of a page to its end. README has a test of its own. */

const pages = PROJECT_FILES.filter((path) => /^(?:docs\/)?[\w-]+\.md$/.test(path))
  .map((path) => ({ path, commands: commandsIn(path) }))
  .filter(({ commands }) => commands.length > 0);

/** Followed by tests of their own. */
const FOLLOWED_ELSEWHERE = new Set(["README.md", "docs/override.md"]);

/** Commands that are printed and not typed: why not, and where else a test sees to them. */
const NOT_TYPED: readonly { command: RegExp; why: string; seen?: readonly [path: string, text: string] }[] = [
  { command: /^npm test$/, why: "this test is a part of it" },
  {
    command: /^npm run check$/,
    why: "it takes half a minute, and npm test begins with it",
    seen: ["tests/run.ts", '{ name: "check", command: [BUN, "run", "check"] }'],
  },
];

/** The examples of `--help`, one after the other. */
const EXAMPLES = "docs/command-line.md";

const RELAY = `listen = "127.0.0.1:0"
worker_secret_file = "secret.txt"
[override]
[[override.endpoint]]
name = "dac"
patterns = ["https://*.example.com/v1/**"]
credential = "passthrough"
[[override.key]]
id = "upstream-1"
secret = { file = "signing-secret.txt" }
endpoints = ["dac"]
`;
const WORKER = `proxy_url = "https://relay.example.com"
worker_secret_file = "secret.txt"
backend_url = "http://127.0.0.1:11434"
`;

/** What a page's reader has, or has done, before a command is typed. */
const BEFORE: readonly (readonly [page: string, command: RegExp, prepare: (reader: Reader) => unknown])[] = [
  ["docs/troubleshooting.md", /^signalbox doctor serve$/, (reader) => reader.hasRelay()],
  ["docs/route-test.md", / --fleet /, (reader) => reader.hasRelay()],
  ["docs/routing.md", /"order":\["home","lab"\]/, (reader) => reader.hasRelay()],
  ["docs/scenarios.md", /order\.toml$/, (reader) => reader.write("order.toml", tomlOf("docs/scenarios.md"))],
  [EXAMPLES, /^signalbox doctor worker/, (reader) => reader.write("worker.toml", WORKER)],
  [EXAMPLES, /^signalbox config print/, (reader) => reader.write("relay.toml", RELAY)],
  [EXAMPLES, /^signalbox config init/, (reader) => reader.remove("relay.toml")],
  [EXAMPLES, /^signalbox override check/, (reader) => reader.write("relay.toml", RELAY)],
  [EXAMPLES, /\{fpath\[1\]\}/, (reader) => reader.folderOf("FPATH", "local/bin")],
  [EXAMPLES, /\$PROFILE/, (reader) => reader.folderOf("PROFILE", "profile.ps1")],
];

test("there are pages with commands, and the shell can read each", () => {
  assert.ok(pages.length > 8);
  for (const { commands } of pages) for (const { text } of commands) execFileSync("sh", ["-n", "-c", text]);
});

test("every script that a page names is one of package.json", () => {
  const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
  const named = PROJECT_FILES.filter((path) => path.endsWith(".md"))
    .flatMap((path) => [...read(path).matchAll(/\bnpm (?:run ([\w:]+)|(start|test)\b)/g)])
    .map(([, run, own]) => run ?? own!);
  assert.ok(named.length > 20);
  assert.deepEqual(
    named.filter((name) => !(name in scripts)),
    [],
  );
});

test("every command that is printed is typed by a test, or has its reason not to be", () => {
  const untyped = pages.flatMap(({ commands }) => commands.filter(({ run }) => !run).map(({ text }) => text));
  assert.deepEqual(
    untyped.filter((text) => !NOT_TYPED.some(({ command }) => command.test(text))),
    [],
  );
  for (const { command, seen: [path, text] = [] } of NOT_TYPED) {
    assert.ok(
      untyped.some((found) => command.test(found)),
      `${command} is printed nowhere, or typed: take it off the list`,
    );
    if (path && text) assert.ok(read(path).includes(text), `${path}: ${text}`);
  }
});

test("every command that takes a machine stands where one is booted for it", () => {
  const there = read("tests/end_to_end/service_commands.test.ts");
  const found = pages.filter(({ commands }) => commands.some(({ text }) => OF_A_MACHINE.test(text)));
  assert.ok(found.length > 1);
  for (const { path } of found) assert.ok(there.includes(`"${path}"`), path);
});

const lacking = noCurl() ?? lacks("npm") ?? (canMakeCertificates() ? undefined : "needs openssl");

for (const { path, commands } of pages) {
  const typed = commands.filter(({ run, text }) => run && !OF_A_MACHINE.test(text)).map(({ text }) => text);
  if (typed.length === 0 || FOLLOWED_ELSEWHERE.has(path)) continue;
  test(`who follows ${path} gets what it says`, { timeout: 120_000, skip: lacking }, () =>
    follow(path, typed),
  );
}

async function follow(path: string, commands: readonly string[]): Promise<void> {
  const preparations = BEFORE.filter(([page]) => page === path);
  for (const [, command] of preparations) assert.ok(commands.some((text) => command.test(text)));
  await using reader = await Reader.open();
  reader.write("fleet.toml", fleetOfHelp());
  for (const text of commands) {
    for (const [, command, prepare] of preparations) if (command.test(text)) await prepare(reader);
    // Where it is missing, only this is.
    if (text.startsWith("signalbox completions zsh") && lacks("zsh")) continue;
    const printed = await reader.type(text);
    if (text.startsWith("curl")) assert.match(printed, /^\{(?!"error")/, text);
  }
}

function fleetOfHelp(): string {
  const [, fleet] = /^A fleet\.toml for the examples:\n\n((?: {2}.*\n|\n)+)/.exec(ROUTE_TEST_NOTES)!;
  return fleet!;
}

/** The first file that a page prints. */
function tomlOf(page: string): string {
  return /^```toml\n([\s\S]*?)^```$/m.exec(read(page))![1]!;
}
