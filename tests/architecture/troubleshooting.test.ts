import assert from "node:assert/strict";
import { test } from "node:test";
import { troubleshootingPage } from "../../docs/troubleshooting_page.ts";
import { FAILURES } from "../../shared/failures.ts";

const page = troubleshootingPage();

test("docs/troubleshooting.md has a section with causes for each failure, and for nothing else", () => {
  const sections = [...page.matchAll(/^### `(\w+)`\n([\s\S]*?)(?=^##|$(?![\s\S]))/gm)];
  assert.deepEqual(sections.map(([, code]) => code!).sort(), Object.keys(FAILURES).sort());
  for (const [, code, text] of sections)
    assert.match(text!, /^\| (?!likely|---).{20,} \| .{10,} \|$/m, code!);
});

test("no cell of docs/troubleshooting.md is split by a bar in it", () => {
  for (const line of page.split("\n").filter((row) => row.startsWith("| ")))
    assert.ok([2, 3].includes(line.split(" | ").length), line);
});
