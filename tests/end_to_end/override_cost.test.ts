import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { cannotOn } from "../support/program.ts";
import { BUN } from "../support/runtimes.ts";

/**
 * A request that names its endpoint costs at most what a bare proxy takes for it: a little less in the middle of many
 * pairs, in runs of their own (ARCHITECTURE.md, "What it costs"). How code came to be compiled differs from process to
 * process by some percent, and more so where they are still young: what is held here is that it costs no fifth more.
 */
const AT_MOST = 1.2;
const SLOTS = 20;
const WARM_UP_SECONDS = 6;
const LIMIT_MS = 120_000;

const skip =
  cannotOn("deno", "Deno's listener takes more than Bun's for what is small (docs/runtimes.md)") ??
  (process.platform === "linux"
    ? undefined
    : "needs Linux, which tells what a process took of the processor");

test("the override costs about what a bare proxy does", { skip, timeout: LIMIT_MS }, (t) => {
  const words = [join(import.meta.dirname, "../../bench/override.ts"), `${SLOTS}`, `${WARM_UP_SECONDS}`];
  const { status, stdout, stderr } = spawnSync(BUN, words, { encoding: "utf8", timeout: LIMIT_MS });
  assert.equal(status, 0, stderr);
  t.diagnostic(stdout);
  const middles = [...stdout.matchAll(/in the middle ([\d.]+) x/g)].map(([, ratio]) => Number(ratio));
  assert.equal(middles.length, 2, stdout);
  for (const ratio of middles) assert.ok(ratio <= AT_MOST, stdout);
});
