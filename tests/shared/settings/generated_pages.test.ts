import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { locate, pages } from "../../../docs/generate.ts";
import { program } from "../../../main.ts";
import { commandHelp, flagsOf, programHelp } from "../../../shared/command_line/help.ts";
import { describe } from "../../../shared/settings/describe.ts";
import { isInstalled } from "../../support/tools.ts";

test("the generated pages are what the code says: else run bun docs/generate.ts", async () => {
  const generated = await pages();
  for (const path of [
    ".env.example",
    "docs/command-line.md",
    "docs/settings.md",
    "docs/man/signalbox-serve.1",
  ]) {
    assert.ok(generated.has(path), path);
  }
  for (const [path, text] of generated) assert.equal(readFileSync(locate(path), "utf8"), text, path);
});

test("there is a manual page for each command, none besides, and each is what roff readers want", async () => {
  const names = [...(await pages()).keys()].filter((path) => path.startsWith("docs/man/"));
  assert.equal(names.length, program.commands.length + 1);
  assert.deepEqual(
    readdirSync(locate("docs/man")).sort(),
    names.map((path) => path.slice("docs/man/".length)).sort(),
  );
  if (!isInstalled("groff")) return;
  for (const path of names) {
    const { stdout, stderr } = spawnSync(
      "groff",
      ["-man", "-Tutf8", "-ww", "-P-cbou", fileURLToPath(locate(path))],
      {
        encoding: "utf8",
      },
    );
    assert.equal(stderr, "", path);
    assert.match(stdout, /^NAME\n +signalbox/m);
    assert.match(stdout, /^EXIT STATUS\n +0 +Done\./m);
  }
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
  const overview = programHelp(program.name, program.says, program.commands).split("\n");
  assert.deepEqual(
    overview.filter((line) => line.length > 80),
    [],
  );
  for (const { name, says, open } of program.commands) {
    const opened = await open();
    const help = commandHelp({ program: "signalbox", name, says, ...opened });
    const tooLong = help.split("\n").filter((line) => line.length > 80);
    assert.deepEqual(tooLong, []);
    for (const setting of describe(opened.schema))
      assert.ok(help.includes(`  ${flagsOf(setting)}\n`), setting.flag);
  }
});
