import { deepEqual, equal } from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { OpenTable } from "../../shared/open_table.ts";

/** Many of them have their places in common. */
const keys = fc.oneof(
  fc.integer({ min: 1, max: 40 }),
  fc.integer({ min: 1, max: 40 }).map((key) => key * 64),
);
const steps = fc.array(fc.record({ key: keys, adds: fc.boolean() }), { maxLength: 400 });

describe("open table", () => {
  test("holds what a Map would, whatever comes and goes", () => {
    fc.assert(
      fc.property(steps, (taken) => {
        const table = new OpenTable<number>();
        const model = new Map<number, number>();
        for (const [value, { key, adds }] of taken.entries()) {
          if (adds) table.set(key, value);
          else table.delete(key);
          if (adds) model.set(key, value);
          else model.delete(key);
          deepEqual(
            [table.get(key), table.has(key), table.size],
            [model.get(key), model.has(key), model.size],
          );
        }
        for (const [key, value] of model) equal(table.get(key), value);
        const found = new Map<number, number>();
        table.forEach((value, key) => {
          found.set(key, value);
        });
        deepEqual(new Map([...found].toSorted()), new Map([...model].toSorted()));
        deepEqual(table.values().toSorted(), [...model.values()].toSorted());
      }),
      { seed: 7, numRuns: 500 },
    );
  });

  test("goes on where a visitor deletes and adds", () => {
    const table = new OpenTable<string>();
    for (const key of [1, 2, 3, 17, 33]) table.set(key, `v${key}`);
    const told: number[] = [];
    table.forEach((_value, key) => {
      told.push(key);
      table.delete(key === 1 ? 17 : key);
      table.set(1000 + key, "new");
    });
    deepEqual(told.toSorted(), [1, 2, 3, 33].toSorted());
    deepEqual([...new Set(table.values())].toSorted(), ["new", "v1"]);
  });

  test("takes ids up to the last that a link can give", () => {
    const table = new OpenTable<string>();
    for (const key of [2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]) table.set(key, `${key}`);
    equal(table.get(2 ** 32 - 1), `${2 ** 32 - 1}`);
    table.clear();
    deepEqual([table.size, table.get(2 ** 31)], [0, undefined]);
  });
});
