import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ExpiringMap, pairKey } from "../../../server/fleet/expiring_map.ts";

test("get() gives what was set last, until its lifetime is over", () => {
  const map = new ExpiringMap<number>({ lifetimeMs: 100, countMax: 10 });
  map.set("a", 1, 0);
  map.set("a", 2, 50);
  assert.equal(map.get("a", 149), 2);
  assert.equal(map.get("a", 150), undefined);
  assert.equal(map.get("b", 0), undefined);
});

test("set() drops what expired long ago", () => {
  const map = new ExpiringMap<number>({ lifetimeMs: 100, countMax: 1_000 });
  for (let at = 0; at < 500; at++) map.set(`${at}`, at, at);
  map.set("late", 0, 1_000);
  map.set("later", 0, 2_000);
  assert.equal(map.size, 2);
});

test("set() ignores keys that are too long to be one of ours", () => {
  const map = new ExpiringMap<number>({ lifetimeMs: 100, countMax: 10 });
  map.set("x".repeat(521), 1, 0);
  assert.equal(map.size, 0);
  const longest = pairKey("m".repeat(256), "s".repeat(256));
  map.set(longest, 1, 0);
  assert.equal(map.get(longest, 0), 1);
});

/** Times between two steps, of a lifetime of 100: mostly much shorter, now and then longer. */
const step = fc.record({ key: fc.integer({ min: 0, max: 30 }), afterMs: fc.oneof(fc.nat(5), fc.nat(150)) });

test("it never holds more than countMax, never gives what is old or was replaced, and keeps the latest half", () => {
  const countMax = 8;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const map = new ExpiringMap<number>({ lifetimeMs: 100, countMax });
      const lastSet = new Map<string, { value: number; atMs: number }>();
      let nowMs = 0;
      for (const [value, { key, afterMs }] of steps.entries()) {
        nowMs += afterMs;
        map.set(`${key}`, value, nowMs);
        lastSet.delete(`${key}`);
        lastSet.set(`${key}`, { value, atMs: nowMs });
        assert.ok(map.size <= countMax);
        const newestFirst = [...lastSet].reverse();
        for (const [at, [name, { value, atMs }]] of newestFirst.entries()) {
          const found = map.get(name, nowMs);
          if (atMs + 100 <= nowMs) assert.equal(found, undefined);
          else if (at < countMax / 2) assert.equal(found, value);
          else assert.ok(found === value || found === undefined);
        }
      }
    }),
  );
});

test("pairKey() tells pairs apart, whatever they hold", () => {
  const text = fc.string({ unit: fc.constantFrom("1", " ", "\n", "a"), maxLength: 4 });
  const pair = fc.tuple(text, text);
  fc.assert(
    fc.property(pair, pair, (one, other) => {
      const same = one[0] === other[0] && one[1] === other[1];
      assert.equal(pairKey(...one) === pairKey(...other), same);
    }),
  );
});
