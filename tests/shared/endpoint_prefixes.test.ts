import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { pathMatches, sanitisePrefixes } from "../../shared/endpoint_prefixes.ts";

const matches: { prefixes: string[]; yes?: string[]; no?: string[] }[] = [
  { prefixes: [], yes: ["/", "/anything/at/all"] },
  { prefixes: ["/"], yes: ["/", "/v1", "/v1/..%2fapi"] },
  // A backend that decodes before it resolves would be somewhere else.
  { prefixes: ["/v1", "/v1*"], yes: ["/v1/a%2fb"], no: ["/v1/..%2fapi", "/v1/%2e%2E%5capi", "/v1/../api"] },
  {
    prefixes: ["/v1"],
    yes: ["/v1", "/v1/", "/v1/chat"],
    no: ["/v1beta", "/V1", "/", "/v", "/api/v1", "/v1%2Fchat"],
  },
  { prefixes: ["/v1*"], yes: ["/v1", "/v1/chat", "/v1beta"], no: ["/v", "/api/v1"] },
  { prefixes: ["/v1/*"], yes: ["/v1/", "/v1/chat"], no: ["/v1", "/v1beta"] },
  { prefixes: ["/*"], yes: ["/", "/v1"] },
  { prefixes: ["/a", "/v1/chat"], yes: ["/a/b", "/v1/chat/completions"], no: ["/v1", "/v1/chats"] },
  { prefixes: ["/a*b"], yes: ["/a*b/c"], no: ["/axb"] },
];

for (const { prefixes, yes = [], no = [] } of matches) {
  for (const path of yes)
    test(`pathMatches() ${path} is in ${JSON.stringify(prefixes)}`, () =>
      assert.ok(pathMatches(path, prefixes)));
  for (const path of no)
    test(`pathMatches() ${path} is not in ${JSON.stringify(prefixes)}`, () =>
      assert.ok(!pathMatches(path, prefixes)));
}

const sanitised: { asked: string[]; prefixes: string[]; warnings?: RegExp[] }[] = [
  { asked: [], prefixes: [] },
  { asked: ["/v1", "/api"], prefixes: ["/v1", "/api"] },
  { asked: ["/"], prefixes: ["/"] },
  { asked: ["//"], prefixes: ["/"], warnings: [/"\/\/" was read as "\/"/] },
  { asked: ["*"], prefixes: ["/*"], warnings: [/"\*" was read as "\/\*"/] },
  { asked: [" v1/ "], prefixes: ["/v1"], warnings: [/" v1\/ " was read as "\/v1"/] },
  { asked: ["/v1", "/v1/"], prefixes: ["/v1"], warnings: [/"\/v1\/" was dropped: it is there already/] },
  { asked: ["", "/v1"], prefixes: ["/v1"], warnings: [/"" was dropped: it is empty/] },
  { asked: ["", "  "], prefixes: [], warnings: [/is empty/, /is empty/] },
  { asked: [`/${"a".repeat(255)}`], prefixes: [`/${"a".repeat(255)}`] },
  {
    asked: ["/v1", `/${"a".repeat(256)}`],
    prefixes: ["/v1"],
    warnings: [/wanted at most 256 characters, found 257/],
  },
];

for (const { asked, prefixes, warnings = [] } of sanitised) {
  test(`sanitisePrefixes() of ${JSON.stringify(asked).slice(0, 60)}`, () => {
    const result = sanitisePrefixes(asked);
    assert.deepEqual(result.prefixes, prefixes);
    assert.equal(result.warnings.length, warnings.length, result.warnings.join("; "));
    for (const [at, warning] of warnings.entries()) assert.match(result.warnings[at]!, warning);
  });
}

test("sanitisePrefixes() keeps 64", () => {
  const asked = Array.from({ length: 66 }, (_, at) => `/${at}`);
  const { prefixes, warnings } = sanitisePrefixes(asked);
  assert.deepEqual(prefixes, asked.slice(0, 64));
  assert.equal(warnings.length, 2);
});

test("a list of which nothing usable is left opens nothing", () => {
  const { prefixes } = sanitisePrefixes([`/${"a".repeat(256)}`]);
  for (const path of ["/", "/v1", `/${"a".repeat(256)}`]) assert.ok(!pathMatches(path, prefixes));
});

test("sanitisePrefixes() changes nothing when it is done twice", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: fc.constantFrom("/", "a", "*", " ", "?") })), (asked) => {
      const once = sanitisePrefixes(asked).prefixes;
      assert.deepEqual(sanitisePrefixes(once), { prefixes: once, warnings: [] });
    }),
  );
});
