import assert from "node:assert/strict";
import { test } from "node:test";
import * as trie from "../../../node_modules/tldts-icann/dist/es6/src/data/trie.js";
import { publicSuffixLabels } from "../../../server/routing/public_suffix.ts";

/** The package's own form of the list. */
const list = trie as unknown as {
  /** By node; 0: no suffix. */
  nodeFlags: Uint8Array;
  /** By node: its first edge. Those of the next node follow. */
  edgeStart: Uint16Array;
  edgeLength: Uint8Array;
  edgeChild: Uint16Array;
  /** The labels of all edges. */
  labelText: string;
  rulesRoot: number;
};

/** "" stands for a label that is open. */
const HOSTS: [host: string, labels: number][] = [
  ["example", 1],
  ["a.example", 1],
  [".example", 1],
  ["a.co.uk", 2],
  [".co.uk", 2],
  ["oslo.no", 2],
  ["a.b.kawasaki.jp", 3],
  ["a..kawasaki.jp", 3],
  ["a.city.kawasaki.jp", 2],
  ["pages.github.io", 1],
  // Not a suffix itself, and some names of one label more are.
  ["api.nordland.no", 1],
  ["api.bo.nordland.no", 3],
  ["api..nordland.no", 3],
  ["127.0.0.1", 4],
  ["a b", 1],
];
for (const [host, labels] of HOSTS) {
  test(`the last ${labels} of "${host}" are a registry's`, () => {
    assert.equal(publicSuffixLabels(host.split(".")), labels);
  });
}

/** The suffixes of the list, "*" for any label. */
function* suffixes(node = list.rulesRoot, end = ""): Generator<string> {
  for (let edge = list.edgeStart[node]!; edge < list.edgeStart[node + 1]!; edge++) {
    const child = list.edgeChild[edge]!;
    const name = labelAt(edge) + end;
    if (list.nodeFlags[child] !== 0) yield name;
    yield* suffixes(child, `.${name}`);
  }
}

const ends: number[] = [];
for (const length of list.edgeLength) ends.push((ends.at(-1) ?? 0) + length);

function labelAt(edge: number): string {
  return list.labelText.slice(ends[edge]! - list.edgeLength[edge]!, ends[edge]);
}

test("a label that is open is nobody's own where it can be the first of any suffix", () => {
  // Others stand in no host: it has them in punycode, which the list has too.
  const ascii = [...suffixes()].filter((suffix) => /^[\x20-\x7e]+$/.test(suffix));
  assert.ok(ascii.length > 5000, String(ascii.length));
  for (const suffix of ascii) {
    const [, ...rest] = suffix.split(".");
    assert.ok(publicSuffixLabels(["anybody", "", ...rest]) >= rest.length, suffix);
  }
});
