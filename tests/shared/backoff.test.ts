import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fullJitter } from "../../shared/backoff.ts";

const options = fc
  .tuple(fc.integer({ min: 1, max: 10_000 }), fc.integer({ min: 1, max: 100_000 }))
  .map(([baseMs, extraMs]) => ({ baseMs, capMs: baseMs + extraMs }));
const dice = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

test("a wait is between 0 and min(cap, base · 2^n), and in proportion to the dice", () => {
  fc.assert(
    fc.property(options, fc.array(dice, { maxLength: 40 }), ({ baseMs, capMs }, rolls) => {
      const left = [...rolls];
      const backoff = fullJitter({ baseMs, capMs, dice: () => left.shift() ?? 0 });
      for (const [n, roll] of rolls.entries()) {
        assert.equal(backoff.nextMs(), roll * Math.min(capMs, baseMs * 2 ** n));
      }
    }),
  );
});

test("after reset() the next failure is the first", () => {
  fc.assert(
    fc.property(options, fc.integer({ min: 0, max: 50 }), ({ baseMs, capMs }, failures) => {
      const backoff = fullJitter({ baseMs, capMs, dice: () => 0.5 });
      for (let i = 0; i < failures; i++) backoff.nextMs();
      backoff.reset();
      assert.equal(backoff.nextMs(), baseMs / 2);
    }),
  );
});

test("a worker that was never well waits no longer than the cap, however often it failed", () => {
  const backoff = fullJitter({ baseMs: 500, capMs: 30_000, dice: () => 0.999 });
  const waits = Array.from({ length: 5000 }, () => backoff.nextMs());
  assert.ok(waits.every((ms) => ms < 30_000));
  assert.equal(waits.at(-1), 29_970);
});

test("bounds that make no sense are refused", () => {
  for (const [baseMs, capMs] of [
    [0, 1],
    [2, 1],
    [-1, 1],
    [1, Number.POSITIVE_INFINITY],
    [Number.NaN, 1],
  ] as const) {
    assert.throws(() => fullJitter({ baseMs, capMs }), RangeError);
  }
});
