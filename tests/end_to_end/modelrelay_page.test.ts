import assert from "node:assert/strict";
import { test } from "node:test";
import { PROJECT_FILES, read } from "../architecture/source_tree.ts";

/** `docs/modelrelay.md` names the test that proves each of ModelRelay's contracts: here they are looked up. */

const VERDICTS = ["same", "differs", "none"];
const PROOF = /`(tests\/[\w/]+\.test\.ts)`: (.+)/;

const rows = read("docs/modelrelay.md")
  .split("\n")
  .filter((line) => /^\| \d+ \|/.test(line))
  .map((line) => {
    const [number = "", name = "", verdict = "", what = "", proofs = ""] = cellsOf(line);
    return { number: Number(number), name, verdict, what, proofs: proofs.split("<br>").filter(Boolean) };
  });

function cellsOf(line: string): string[] {
  const cells = line.split("|").map((cell) => cell.trim());
  return cells.slice(1, -1);
}

/** A test with exactly this title. */
function has(path: string, title: string): boolean {
  const literal = title.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
  return new RegExp(`\\btest\\(\\s*["\`]${literal}["\`]`).test(read(path));
}

test("the page has all 64 contracts, each with what becomes of it", () => {
  assert.deepEqual(
    rows.map(({ number }) => number),
    Array.from({ length: 64 }, (_, at) => at + 1),
  );
  assert.equal(new Set(rows.map(({ name }) => name)).size, 64);
  for (const { number, verdict, what, proofs } of rows) {
    assert.ok(VERDICTS.includes(verdict), `${number}: ${verdict}`);
    assert.ok(verdict === "same" || what.length > 20, `${number}: why?`);
    assert.ok(verdict === "none" || proofs.length > 0, `${number}: which test?`);
  }
});

test("every test that the page names is there", () => {
  const proofs = rows.flatMap(({ number, proofs }) => proofs.map((proof) => ({ number, proof })));
  assert.ok(proofs.length > 50);
  for (const { number, proof } of proofs) {
    const [, path, title] = PROOF.exec(proof) ?? assert.fail(`${number}: ${proof}`);
    assert.ok(has(path!, title!), `${number}: ${title}`);
  }
  assert.ok(!has("tests/end_to_end/modelrelay_page.test.ts", "there is no such test"));
});

test("every rule of the worker's and of the server's stand-in has a test through the wire", () => {
  const files = PROJECT_FILES.filter((path) => /^tests\/end_to_end\/modelrelay_\w+\.test\.ts$/.test(path));
  assert.ok(files.length > 5);
  const titles = files.flatMap((path) => [...read(path).matchAll(/\btest\(\s*"([SW0-9, ]+):/g)]);
  const tested = new Set(titles.flatMap(([, numbers]) => numbers!.split(", ")));
  const rules = [...read("tests/support/modelrelay/README.md").matchAll(/^\| ([SW]\d+) \|/gm)];
  assert.equal(rules.length, 30);
  for (const [, rule = ""] of rules) assert.ok(tested.has(rule), rule);
});
