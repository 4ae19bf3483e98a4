import assert from "node:assert/strict";
import { test } from "node:test";
import { readPreferences } from "../../../server/routing/preferences.ts";

const unknown: { value: Record<string, unknown>; warnings: string[] }[] = [
  { value: { onyl: ["a"] }, warnings: ['provider has an unknown member "onyl": did you mean "only"?'] },
  {
    value: { allowFallbacks: false },
    warnings: ['provider has an unknown member "allowFallbacks": did you mean "allow_fallbacks"?'],
  },
  {
    value: { "": 1, weather: null },
    warnings: ['provider has an unknown member ""', 'provider has an unknown member "weather"'],
  },
  { value: { constructor: 1 }, warnings: ['provider has an unknown member "constructor"'] },
  {
    value: { max_price: { promt: "1" } },
    warnings: ['provider.max_price has an unknown member "promt": did you mean "prompt"?'],
  },
  {
    value: { sort: { by: "price", partitions: "none" } },
    warnings: ['provider.sort has an unknown member "partitions": did you mean "partition"?'],
  },
  {
    value: { preferred_max_latency: { p95: 1 } },
    warnings: ['provider.preferred_max_latency has an unknown member "p95": did you mean "p75"?'],
  },
  { value: { "a\nb": 1 }, warnings: ['provider has an unknown member "a\\nb"'] },
];
for (const { value, warnings } of unknown) {
  test(`readPreferences() warns of ${JSON.stringify(value)}`, () =>
    assert.deepEqual(readPreferences(value).warnings, warnings));
}

test("readPreferences() reads what is right beside what is unknown", () => {
  const { preferences, warnings } = readPreferences({ x: 1, only: ["a"], y: 2 });
  assert.deepEqual(preferences, { only: ["a"] });
  assert.equal(warnings.length, 2);
});

test("readPreferences() warns shortly, however much is unknown", () => {
  const value = Object.fromEntries(Array.from({ length: 100_000 }, (_, at) => [`${"x".repeat(20)}${at}`, 1]));
  const { warnings } = readPreferences({ ["é".repeat(1_000_000)]: 1, ...value });
  assert.equal(warnings.length, 8);
  for (const warning of warnings) assert.ok(warning.length < 150, warning);
});

test("readPreferences() says what it found of something deep without walking into it", () => {
  const deep = JSON.parse(`${"[".repeat(100_000)}${"]".repeat(100_000)}`);
  assert.throws(() => readPreferences({ zdr: deep }), /must be true or false, found a list/);
  assert.throws(() => readPreferences({ only: [deep] }), /must be a list of names, found a list/);
});

test("readPreferences() takes `__proto__` for an unknown member", () => {
  const { preferences, warnings } = readPreferences(JSON.parse('{"__proto__":{"only":["a"]}}'));
  assert.deepEqual(preferences, {});
  assert.deepEqual(warnings, ['provider has an unknown member "__proto__"']);
});
