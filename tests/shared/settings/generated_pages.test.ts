import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { locate, pages } from "../../../docs/generate.ts";
import { program } from "../../../main.ts";
import { commandHelp } from "../../../shared/command_line/help.ts";
import { describe } from "../../../shared/settings/describe.ts";

test("the generated pages are what the code says: else run bun docs/generate.ts", async () => {
  const generated = await pages();
  assert.deepEqual(
    [...generated.keys()],
    [
      ".env.example",
      "docs/failures.md",
      "docs/route-test.md",
      "docs/routing.md",
      "docs/scenarios.md",
      "docs/settings.md",
    ],
  );
  for (const [path, text] of generated) assert.equal(readFileSync(locate(path), "utf8"), text, path);
});

test("every setting has a sentence, one name each, and a default that can be read", async () => {
  assert.ok(program.commands.length > 0);
  for (const { name, open } of program.commands) {
    const { schema } = await open();
    const settings = describe(schema);
    assert.equal(new Set(settings.map(({ flag }) => flag)).size, settings.length, name);
    for (const { says, flag } of settings) {
      assert.match(says, /^[A-Z].*[^.\s]$/, flag);
      assert.ok(says.length <= 110, flag);
    }
    assert.deepEqual(schema.safeParse({}).error, undefined, name);
  }
});

test("every help fits 80 columns and names every flag", async () => {
  for (const { name, says, open } of program.commands) {
    const opened = await open();
    const help = commandHelp({ program: "signalbox", name, says, ...opened });
    const tooLong = help.split("\n").filter((line) => line.length > 80);
    assert.deepEqual(tooLong, []);
    for (const { flag } of describe(opened.schema)) assert.ok(help.includes(`  ${flag}`), flag);
  }
});
