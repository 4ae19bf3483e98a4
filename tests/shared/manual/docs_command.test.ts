import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { program } from "../../../main.ts";
import { runProgram } from "../../../shared/command_line/run.ts";
import { FAILURES } from "../../../shared/failure_table.ts";
import { PAGES } from "../../../shared/manual/pages.ts";

const ROOT = join(import.meta.dirname, "../../..");
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");

async function docs(...words: string[]): Promise<string> {
  let printed = "";
  const out = (text: string) => {
    printed += text;
  };
  const io = { out, err: assert.fail, stdin: async () => "", env: {} };
  assert.equal(await runProgram(program, ["docs", ...words], io), 0);
  return printed;
}

test("every document of docs/ is a page, and so are README, CHANGELOG and LICENSE", () => {
  const documents = readdirSync(join(ROOT, "docs")).filter((name) => name.endsWith(".md"));
  assert.ok(documents.length > 15);
  assert.deepEqual(
    PAGES.map(({ file }) => file).sort(),
    [...documents.map((name) => `docs/${name}`), "README.md", "CHANGELOG.md", "LICENSE"].sort(),
  );
});

test("every page is its file, by its name and by its path", async () => {
  for (const { name, file } of PAGES) {
    assert.equal(await docs(name), read(file), name);
    assert.equal(await docs(file), read(file), file);
  }
});

test("the list has every page in the order of docs/README.md, and fits 80 columns", async () => {
  const lines = (await docs()).split("\n");
  assert.deepEqual(
    lines.flatMap((line) => /^ {2}(\S+) {2,}\S/.exec(line)?.[1] ?? []),
    PAGES.map(({ name }) => name),
  );
  assert.deepEqual(
    lines.filter((line) => line.length > 80),
    [],
  );
  const links = [...read("docs/README.md").matchAll(/\]\(([a-z-]+)\.md\)/g)].map(([, name]) => name!);
  const listed = PAGES.filter(({ file }) => /^docs\/[a-z-]+\.md$/.test(file)).map(({ name }) => name);
  assert.deepEqual(listed, [...new Set(links)]);
});

test("every failure code is answered with its section and no other", async () => {
  const codes = Object.keys(FAILURES);
  assert.ok(codes.length > 30);
  const troubleshooting = read("docs/troubleshooting.md");
  const names: ReadonlySet<string> = new Set(PAGES.map(({ name }) => name));
  for (const code of codes) {
    assert.ok(!names.has(code), code);
    const section = await docs(code);
    assert.ok(section.startsWith(`### \`${code}\`\n`), section);
    assert.match(section, /^\| .+ \|\n$/m, code);
    assert.equal(section.match(/^#/gm)?.length, 1, section);
    assert.ok(troubleshooting.includes(`\n${section}`), code);
  }
});
