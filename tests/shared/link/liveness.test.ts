import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Liveness,
  type LivenessOptions,
  PING_INTERVAL_MS,
  SILENCE_LIMIT_MS,
} from "../../../shared/link/liveness.ts";
import { FakeClock } from "../../support/fake_clock.ts";

function watch(options: Partial<LivenessOptions> = {}) {
  const clock = new FakeClock();
  const said: string[] = [];
  const liveness = new Liveness({
    clock,
    ping: () => said.push("ping"),
    silent: () => said.push("silent"),
    ...options,
  });
  return { clock, said, liveness };
}

test("the numbers: two pings are missed and the third is due", () => {
  assert.deepEqual([PING_INTERVAL_MS, SILENCE_LIMIT_MS], [15_000, 45_000]);
});

test("it pings on a fixed cadence, whatever else is heard", () => {
  const { clock, said, liveness } = watch();
  for (let second = 0; second < 150; second++) {
    clock.advance(1000);
    liveness.heard();
  }
  assert.deepEqual(said, Array(10).fill("ping"));
  liveness.stop();
  assert.equal(clock.pending, 0);
});

test("a peer that says nothing is gone after the limit, told once", () => {
  const { clock, said } = watch();
  clock.advance(SILENCE_LIMIT_MS - 1);
  assert.deepEqual(said, ["ping", "ping"]);
  clock.advance(1);
  assert.deepEqual(said, ["ping", "ping", "silent"]);
  clock.advance(10 * SILENCE_LIMIT_MS);
  assert.equal(said.length, 3);
  assert.equal(clock.pending, 0);
});

test("what is heard puts the limit off", () => {
  const { clock, said, liveness } = watch();
  clock.advance(44_000);
  liveness.heard();
  clock.advance(44_000);
  assert.equal(said.includes("silent"), false);
  clock.advance(2_000);
  assert.equal(said.at(-1), "silent");
});

test("it pings at another interval, where one is given", () => {
  const { clock, said } = watch({ intervalMs: 10_000 });
  clock.advance(40_000);
  assert.deepEqual(said, Array(4).fill("ping"));
});

test("a ping that ends the link sets no further timer", () => {
  const { clock, liveness } = watch({ ping: () => liveness.stop() });
  clock.advance(PING_INTERVAL_MS);
  assert.equal(clock.pending, 0);
});
