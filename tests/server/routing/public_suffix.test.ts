import assert from "node:assert/strict";
import { test } from "node:test";
import { publicSuffixLabels } from "../../../server/routing/public_suffix.ts";

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
  ["127.0.0.1", 4],
  ["a b", 1],
];
for (const [host, labels] of HOSTS) {
  test(`the last ${labels} of "${host}" are a registry's`, () => {
    assert.equal(publicSuffixLabels(host.split(".")), labels);
  });
}
