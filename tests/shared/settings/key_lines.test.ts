import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { stringify } from "smol-toml";
import { type KeyPath, lineOfKey } from "../../../shared/settings/key_lines.ts";

const TEXT = `# [worker]
title = "a # no remark" # but this is one
why = """
[[worker]]
name = "not a key" \\"""
"""

[[worker]] # the first
  name = 'attic'
  models = [
    "a", # one
    "b]",
  ]
  labels = { zdr = true, price = { prompt = 1 } }

[worker.more]
deep.er = 2
"quoted key".'and another' = 3

[[ worker ]]
name = '''
two
lines'''
[worker.labels.models."llama3:8b"]
zdr = true
[[worker.list]]
a = 1
[[worker.list]]
b = [[1, 2], [3]]

[request]
path = "/"
`;

const LINES: [path: KeyPath, line: number | undefined][] = [
  [["title"], 2],
  [["why"], 3],
  [["worker"], 8],
  [["worker", 0], 8],
  [["worker", 0, "name"], 9],
  [["worker", 0, "models"], 10],
  [["worker", 0, "models", 1], 10],
  [["worker", 0, "labels", "price", "prompt"], 14],
  [["worker", 0, "more"], 16],
  [["worker", 0, "more", "deep"], 17],
  [["worker", 0, "more", "deep", "er"], 17],
  [["worker", 0, "more", "quoted key", "and another"], 18],
  [["worker", 1], 20],
  [["worker", 1, "name"], 21],
  [["worker", 1, "labels", "models", "llama3:8b", "zdr"], 25],
  [["worker", 1, "list", 0, "a"], 27],
  [["worker", 1, "list", 1, "b", 0, 1], 29],
  [["worker", 1, "missing"], 20],
  [["worker", 2], 8],
  [["request", "path"], 32],
  [["request", "missing"], 31],
  [["missing"], undefined],
];

for (const [path, line] of LINES) {
  test(`lineOfKey() finds ${JSON.stringify(path)}`, () => assert.equal(lineOfKey(TEXT, path), line));
}

test("lineOfKey() finds every key of what a writer of TOML writes", () => {
  const key = fc
    .string({ unit: "grapheme", minLength: 1, maxLength: 5 })
    .filter((name) => name !== "__proto__");
  const leaf = fc.oneof(fc.string({ unit: "grapheme" }), fc.integer(), fc.boolean(), fc.array(fc.string()));
  const inner = fc.dictionary(key, leaf, { minKeys: 1, maxKeys: 3 });
  const table = fc.dictionary(key, fc.oneof(leaf, inner, fc.array(inner, { minLength: 1, maxLength: 3 })), {
    minKeys: 1,
    maxKeys: 4,
  });
  fc.assert(
    fc.property(table, (values) => {
      const text = stringify(values);
      const lines = text.split("\n");
      for (const [path, value] of leavesOf(values)) {
        const line = lineOfKey(text, path);
        assert.ok(line !== undefined);
        assert.ok(lines[line - 1]!.endsWith(`= ${stringify({ a: value }).slice(4, -1)}`), `${text}\n${line}`);
      }
    }),
  );
});

/** Every value that is neither a table nor a list of tables, with the way to it. */
function leavesOf(value: unknown, path: KeyPath = []): [KeyPath, unknown][] {
  const isTable = typeof value === "object" && value !== null && !Array.isArray(value);
  if (isTable) return Object.entries(value).flatMap(([key, inner]) => leavesOf(inner, [...path, key]));
  const tables = Array.isArray(value) && value.length > 0 && typeof value[0] === "object";
  return tables ? value.flatMap((inner, at) => leavesOf(inner, [...path, at])) : [[path, value]];
}
