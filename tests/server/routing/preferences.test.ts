import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { PREFERENCE_NAMES, readPreferences } from "../../../server/routing/preferences.ts";
import type { Preferences } from "../../../server/routing/types.ts";
import { RelayFailure } from "../../../shared/failures.ts";

/** Of one field: what is read, and what is refused with what it says was wanted and found. */
interface FieldCase {
  reads: [value: unknown, preferences: Preferences][];
  refuses: [value: unknown, says: string, member?: string][];
}

const long = "n".repeat(257);
const many = (count: number) => Array.from({ length: count }, (_, at) => `n${at}`);
const nothing: [unknown, Preferences][] = [[null, {}]];
const listCases = (key: "only" | "ignore" | "order"): FieldCase => ({
  reads: [
    ...nothing,
    [[], {}],
    [["a"], { [key]: ["a"] }],
    [["b", "a/1", "b", "a"], { [key]: ["b", "a/1", "a"] }],
    [many(64), { [key]: many(64) }],
    [["n".repeat(256)], { [key]: ["n".repeat(256)] }],
  ],
  refuses: [
    ["a", 'a list of names, found "a"'],
    [7, "a list of names, found 7"],
    [{ a: 1 }, "a list of names, found an object"],
    [["a", 7], "a list of names, found 7"],
    [["a", null], "a list of names, found null"],
    [[["a"]], "a list of names, found a list"],
    [[""], 'a list of names, found ""'],
    [many(65), "at most 64 names, found 65"],
    [[long], `a list of names of at most 256 characters, found "${long.slice(0, 79)}…`],
  ],
});
const booleanCases = (key: keyof Preferences): FieldCase => ({
  reads: [...nothing, [true, { [key]: true }], [false, { [key]: false }]],
  refuses: [
    ["true", 'true or false, found "true"'],
    [1, "true or false, found 1"],
    [[], "true or false, found a list"],
    [{}, "true or false, found an object"],
  ],
});
const SORTS = "one of price, throughput, latency, load, exacto, found";
const cutoffCases = (key: "minThroughput" | "maxLatency"): FieldCase => ({
  reads: [
    ...nothing,
    [30, { [key]: { p50: 30 } }],
    [0, { [key]: { p50: 0 } }],
    [{ p50: 1, p75: 2.5, p90: 3, p99: 4 }, { [key]: { p50: 1, p75: 2.5, p90: 3, p99: 4 } }],
    [{ p90: 3, p50: null }, { [key]: { p90: 3 } }],
    [{}, {}],
    [{ p50: null }, {}],
  ],
  refuses: [
    ["30", 'a number from 0, found "30"'],
    [-1, "a number from 0, found -1"],
    [true, "a number from 0, found true"],
    [[1], "a number from 0, found a list"],
    [JSON.parse("1e999"), "a number from 0, found Infinity"],
    [{ p90: "3" }, 'a number from 0, found "3"', "p90"],
    [{ p99: -0.5 }, "a number from 0, found -0.5", "p99"],
    [{ p50: {} }, "a number from 0, found an object", "p50"],
  ],
});

const FIELDS: Readonly<Record<string, FieldCase>> = {
  only: listCases("only"),
  ignore: listCases("ignore"),
  order: listCases("order"),
  allow_fallbacks: booleanCases("allowFallbacks"),
  require_parameters: booleanCases("requireParameters"),
  zdr: booleanCases("zdr"),
  enforce_distillable_text: booleanCases("distillableText"),
  sort: {
    reads: [
      ...nothing,
      ["price", { sort: "price" }],
      ["throughput", { sort: "throughput" }],
      ["latency", { sort: "latency" }],
      ["load", { sort: "load" }],
      ["exacto", { sort: "exacto" }],
      [{ by: "latency" }, { sort: "latency" }],
      [
        { by: "price", partition: "none" },
        { sort: "price", partition: "none" },
      ],
      [{ by: null, partition: "model" }, { partition: "model" }],
      [{}, {}],
    ],
    refuses: [
      ["cheap", `${SORTS} "cheap"`],
      ["Price", `${SORTS} "Price"`],
      ["", `${SORTS} ""`],
      [7, `${SORTS} 7`],
      [["price"], `${SORTS} a list`],
      [{ by: "cheap" }, `${SORTS} "cheap"`, "by"],
      [{ partition: "all" }, 'one of model, none, found "all"', "partition"],
    ],
  },
  data_collection: {
    reads: [...nothing, ["deny", { dataCollection: "deny" }], ["allow", { dataCollection: "allow" }]],
    refuses: [
      ["none", 'one of allow, deny, found "none"'],
      [false, "one of allow, deny, found false"],
    ],
  },
  quantizations: {
    reads: [
      ...nothing,
      [[], {}],
      [["fp8", "Q8_0", "int8", "q4_k_m"], { quantizations: ["fp8", "int8", "int4"] }],
      [["Awq"], { quantizations: ["awq"] }],
    ],
    refuses: [
      ["fp8", 'a list of names, found "fp8"'],
      [[8], "a list of names, found 8"],
      [many(65), "at most 64 names, found 65"],
    ],
  },
  max_price: {
    reads: [
      ...nothing,
      [{}, {}],
      [{ prompt: null }, {}],
      [{ prompt: 1, completion: 2.5 }, { maxPrice: { prompt: 1, completion: 2.5 } }],
      [
        { request: "0.5", image: "1e-3", audio: ".5" },
        { maxPrice: { request: 0.5, image: 0.001, audio: 0.5 } },
      ],
      [{ prompt: 0, completion: "0" }, { maxPrice: { prompt: 0, completion: 0 } }],
    ],
    refuses: [
      [3, "an object of prompt, completion, request, image, audio, found 3"],
      [["1"], "an object of prompt, completion, request, image, audio, found a list"],
      [{ prompt: -1 }, "a number from 0, found -1", "prompt"],
      [{ completion: "-1" }, 'a number from 0, found "-1"', "completion"],
      [{ request: "" }, 'a number from 0, found ""', "request"],
      [{ image: "0x10" }, 'a number from 0, found "0x10"', "image"],
      [{ audio: "1e999" }, 'a number from 0, found "1e999"', "audio"],
      [{ prompt: true }, "a number from 0, found true", "prompt"],
    ],
  },
  preferred_min_throughput: cutoffCases("minThroughput"),
  preferred_max_latency: cutoffCases("maxLatency"),
};

test("every field is in the table", () => {
  assert.equal(PREFERENCE_NAMES.length, 13);
  assert.deepEqual(Object.keys(FIELDS).sort(), [...PREFERENCE_NAMES].sort());
});

for (const [field, { reads, refuses }] of Object.entries(FIELDS)) {
  test(`readPreferences() reads ${field}`, () => {
    for (const [value, preferences] of reads) {
      assert.deepEqual(
        readPreferences({ [field]: value }),
        { preferences, warnings: [] },
        JSON.stringify(value),
      );
    }
  });

  test(`readPreferences() refuses what ${field} cannot be`, () => {
    for (const [value, says, member] of refuses) {
      const param = ["provider", field, member].filter(Boolean).join(".");
      assert.throws(
        () => readPreferences({ [field]: value }),
        (error) => {
          assert.ok(error instanceof RelayFailure);
          assert.equal(error.code, "invalid_preference");
          assert.equal(error.options.param, param);
          assert.equal(error.options.detail, `${param} must be ${says}`);
          return true;
        },
      );
    }
  });
}

test("readPreferences() gives preferences or invalid_preference for any object", () => {
  const key = fc.oneof(fc.constantFrom(...PREFERENCE_NAMES), fc.string());
  let read = 0;
  let refused = 0;
  fc.assert(
    fc.property(fc.dictionary(key, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4 }), (value) => {
      try {
        const { warnings } = readPreferences(value as Record<string, unknown>);
        const strange = Object.keys(value).filter((name) => !PREFERENCE_NAMES.includes(name));
        assert.ok(warnings.length >= strange.length);
        read++;
      } catch (error) {
        assert.ok(error instanceof RelayFailure && error.code === "invalid_preference", String(error));
        refused++;
      }
    }),
    { numRuns: 2_000 },
  );
  assert.ok(read > 50 && refused > 50, `${read} read, ${refused} refused`);
});
