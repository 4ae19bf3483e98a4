import assert from "node:assert/strict";
import { test } from "node:test";
import { program } from "../../main.ts";
import { flagsFor } from "../../shared/command_line/run.ts";
import { canMakeCertificates } from "../support/certificates.ts";
import { noCurl } from "../support/curl.ts";
import { lacks } from "../support/tools.ts";
import { commandsIn } from "./fenced_commands.ts";
import { Reader } from "./reader.ts";
import { read } from "./source_tree.ts";

/** What README says to type can be typed, and does what README says. */

const commands = commandsIn("README.md")
  .filter(({ run }) => run)
  .map(({ text }) => text);

test("README has commands of every kind", () => {
  const texts = commands.join("\n");
  for (const word of [
    "npm start",
    "npm run build",
    "dist/signalbox ",
    "deno run",
    " serve ",
    " worker ",
    "curl ",
  ])
    assert.ok(texts.includes(word), word);
});

test("every flag that README names is one of the program", async () => {
  const known = new Set(["help", "print-settings"]);
  for (const { open } of program.commands) for (const { name } of flagsFor(await open())) known.add(name);
  const named = [...read("README.md").matchAll(/`--([\w-]+)/g)].map(([, name]) => name!);
  assert.ok(named.length > 5);
  assert.deepEqual(
    named.filter((name) => !known.has(name)),
    [],
  );
});

/** Who answers: the demo, then the backend of a worker. */
const ANSWERS = [/"content":"through /, /"target":"\/v1\/chat\/completions"/];

const skip = noCurl() ?? lacks("npm") ?? (canMakeCertificates() ? undefined : "needs openssl");

test("who follows README gets answers", { timeout: 120_000, skip }, async () => {
  await using reader = await Reader.open();
  reader.write("fleet.toml", '[[worker]]\nname = "attic"\nmodels = ["llama3"]\n');
  const answers = [...ANSWERS];
  for (const text of commands) {
    const printed = await reader.type(text);
    if (text.startsWith("curl")) assert.match(printed, answers.shift() ?? /^$/, text);
  }
  assert.deepEqual(answers, []);
});
