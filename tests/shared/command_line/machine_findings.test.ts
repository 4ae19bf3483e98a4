import assert from "node:assert/strict";
import { test } from "node:test";
import {
  clockFinding,
  driftFinding,
  openFilesFinding,
} from "../../../shared/command_line/machine_findings.ts";

const DATE = "Sun, 22 Nov 2026 02:00:00 GMT";
const THERE_MS = Date.parse(DATE);

test("a clock may differ by 30 s, and what a header leaves open counts for nobody", () => {
  const levelAt = (askedMs: number, nowMs: number) =>
    driftFinding(DATE, { askedMs: THERE_MS + askedMs, nowMs: THERE_MS + nowMs }).level;
  assert.equal(levelAt(0, 0), "ok");
  assert.equal(levelAt(31_000, 31_100), "ok");
  assert.equal(levelAt(31_500, 31_600), "warning");
  assert.equal(levelAt(-30_100, -29_900), "ok");
  assert.equal(levelAt(-31_000, -30_500), "warning");
  // The answer came after a minute: the relay may have written the date at its start or at its end.
  assert.equal(levelAt(-30_000, 30_000), "ok");
});

test("which clock is ahead is told", () => {
  const at = (ms: number) => driftFinding(DATE, { askedMs: THERE_MS + ms, nowMs: THERE_MS + ms }).found;
  assert.equal(at(120_000), "119 s ahead of the relay's");
  assert.equal(at(-120_000), "120 s behind the relay's");
  assert.equal(driftFinding("yesterday", { askedMs: 0, nowMs: 0 }).level, "warning");
});

test("a clock that cannot be right is a problem", () => {
  assert.equal(clockFinding(0).level, "problem");
  assert.equal(clockFinding(THERE_MS).level, "ok");
});

test("the limit of open files is that of this process", () => {
  assert.equal(openFilesFinding(1, "each client").level, "ok");
  assert.match(openFilesFinding(1, "each client").found, /^(\d+|Infinity) at a time$/);
  const { level, found, hint } = openFilesFinding(4096, "each client", 1024);
  assert.equal(level, "warning");
  assert.match(found, /^1024 .*each client takes one.*4096/);
  assert.match(hint!, /ulimit -n 65536/);
});
