import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { startDemoBackend } from "../../worker/demo/backend.ts";
import { canMakeCertificates } from "../support/certificates.ts";
import { noCurl } from "../support/curl.ts";
import { BUN } from "../support/runtimes.ts";
import { commandsIn, type DocumentedCommand, STARTER } from "./fenced_commands.ts";
import { Reader, ReaderFolder } from "./reader.ts";
import { locate, PROJECT_FILES, read } from "./source_tree.ts";

/** What the manual says to type can be typed, from the top of a page to its end. README has a test of its own. */

const pages = PROJECT_FILES.filter((path) => /^(?:docs\/)?[\w-]+\.md$/.test(path))
  .map((path) => ({ path, commands: commandsIn(path) }))
  .filter(({ commands }) => commands.length > 0);

/** Pages about a relay that runs already. */
const BESIDE_A_RELAY = new Set(["docs/troubleshooting.md"]);

/** Followed by tests of their own. */
const FOLLOWED_ELSEWHERE = new Set(["README.md", "docs/override.md"]);

/** Commands that are printed and not typed, each with its reason. */
const NOT_TYPED: readonly (readonly [command: RegExp, reason: string])[] = [
  [/^npm (?:test|run (?:check|format|docs|setup))$/, "the tests are run by them"],
  [/^npm start$/, "the test of README types it"],
  [
    /^npm run (?:build|release)|^dist\/signalbox /,
    "tests/run.ts builds it, tests/end_to_end/binary.test.ts starts it",
  ],
  [/^npx bun tests\/run\.ts /, "it would start this test"],
  [
    /route-test /,
    "tests/server/route_test/read_scenario.test.ts reads its flags, scenarios run by themselves",
  ],
  [
    /^curl https:\/\/relay\.example\.com\/v1\/\S+ -H '(?:X-Provider|Content-Type).*(?:whisper|"order")/,
    "needs providers and models of those names",
  ],
  [/^npx deno run -A main\.ts/, "the end-to-end tests start it on Deno"],
];

/** The examples of `--help`, which change the machine or want a relay: their flags are read. */
const EXAMPLES = "docs/command-line.md";
/** Files that they name. */
const NAMED = ["secret.txt", "signing-secret.txt", "admin-token.txt", "relay.toml", "worker.toml"];

test("there are pages with commands, and the shell can read each", () => {
  assert.ok(pages.length > 8);
  for (const { commands } of pages) for (const { text } of commands) execFileSync("sh", ["-n", "-c", text]);
});

test("every script that a page names is one of package.json", () => {
  const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
  const named = pages
    .flatMap(({ commands }) => commands)
    .flatMap(({ text }) => /^npm (?:run )?(\S+)/.exec(text)?.[1] ?? []);
  assert.ok(named.length > 5);
  assert.deepEqual(
    named.filter((name) => !(name in scripts)),
    [],
  );
});

test(`the flags of every example of ${EXAMPLES} can be read`, async () => {
  using folder = new ReaderFolder();
  for (const name of NAMED)
    folder.write(name, name.endsWith(".txt") ? "a secret of at least 32 characters\n" : "");
  const { commands } = pages.find(({ path }) => path === EXAMPLES)!;
  const started = commands.map(({ text }) => text.replace(/^sudo /, "")).filter((text) => STARTER.test(text));
  assert.ok(started.length > 10);
  for (const text of started) {
    const line = text.replace(STARTER, `${BUN} ${locate("main.ts")} `).split(" >")[0]!;
    execFileSync("sh", ["-c", `${line} --print-settings`], { cwd: folder.path, stdio: "pipe" });
  }
});

test("every command that is printed is typed by a test, or has its reason not to be", () => {
  const untold = pages
    .filter(({ path }) => path !== EXAMPLES)
    .flatMap(({ path, commands }) => commands.filter(({ run }) => !run).map(({ text }) => `${path}: ${text}`))
    .filter((found) => !NOT_TYPED.some(([command]) => command.test(found.slice(found.indexOf(": ") + 2))));
  assert.deepEqual(untold, []);
});

const lacking = noCurl() ?? (canMakeCertificates() ? undefined : "needs openssl");

for (const { path, commands } of pages) {
  const typed = commands.filter(({ run }) => run);
  if (typed.length === 0 || FOLLOWED_ELSEWHERE.has(path)) continue;
  test(`who follows ${path} gets what it says`, { skip: lacking }, () => follow(path, typed));
}

async function follow(path: string, commands: readonly DocumentedCommand[]): Promise<void> {
  const backend = await startDemoBackend();
  try {
    await using reader = new Reader(`http://127.0.0.1:${backend.port}`);
    if (BESIDE_A_RELAY.has(path)) await reader.hasRelay();
    for (const command of commands) {
      const printed = await reader.type(command);
      if (command.text.startsWith("curl")) assert.match(printed, /^\{(?!"error")/, command.text);
    }
  } finally {
    await backend.stop(true);
  }
}
