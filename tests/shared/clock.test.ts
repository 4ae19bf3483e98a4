import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_DELAY_MS, systemClock } from "../../shared/clock.ts";
import { FakeClock } from "../support/fake_clock.ts";

test("FakeClock.advance() fires timers in the order of their time, also those set on the way", () => {
  const clock = new FakeClock(0);
  const fired: string[] = [];
  clock.after(20, () => fired.push(`late ${clock.nowMs()}`));
  clock.after(10, () => {
    fired.push(`early ${clock.nowMs()}`);
    clock.after(5, () => fired.push(`between ${clock.nowMs()}`));
  });
  clock.after(31, () => fired.push("never"));
  clock.advance(30);
  assert.deepEqual(fired, ["early 10", "between 15", "late 20"]);
  assert.equal(clock.nowMs(), 30);
  assert.equal(clock.pending, 1);
});

test("a cancelled timer does not fire", () => {
  const clock = new FakeClock();
  const timer = clock.after(1, () => assert.fail("fired"));
  timer.cancel();
  timer.cancel();
  clock.advance(10);
  assert.equal(clock.pending, 0);
});

test("systemClock.after() fires after the delay and not when cancelled", async () => {
  const startMs = systemClock.nowMs();
  const cancelled = systemClock.after(1, () => assert.fail("fired"));
  cancelled.cancel();
  await new Promise<void>((resolve) => systemClock.after(5, resolve));
  // Timers are rounded to whole milliseconds.
  assert.ok(systemClock.nowMs() - startMs >= 4);
});

for (const clock of [systemClock, new FakeClock()]) {
  for (const delayMs of [-1, Number.NaN, MAX_DELAY_MS + 1, Number.POSITIVE_INFINITY]) {
    test(`${clock === systemClock ? "systemClock" : "FakeClock"}.after() refuses ${delayMs}`, () => {
      assert.throws(() => clock.after(delayMs, () => {}), RangeError);
    });
  }
}
