import assert from "node:assert/strict";
import { test } from "node:test";
import { PROJECT_FILES, read } from "./source_tree.ts";

/** What only means something on the machine of whoever wrote it. Written so that this file holds none of it. */
const OF_ONE_MACHINE: Readonly<Record<string, RegExp>> = {
  "a folder of somebody": /(?<![\w.-])\/(?:work|root|home\/\w+|Users\/\w+|workspace)\//,
  "a package registry": /\bregistry\.\w|npmjs\.(?:com|org)|\bpypi\.org|\bjsr\.io|artifactory/i,
  "a private address": /\b(?:192\.168|172\.1[6-9])\.\d+\.\d+\b(?!\/)/,
};

/** Networks that are examples wherever they stand. */
const EXAMPLES = /192\.168\.0\.[01]\b/g;

test("the patterns find what they are for", () => {
  const samples = [
    ["", "work", "x"].join("/"),
    ["registry", "example"].join("."),
    ["192.168", "7.9"].join("."),
  ];
  for (const sample of samples) {
    assert.ok(
      Object.values(OF_ONE_MACHINE).some((pattern) => pattern.test(`in ${sample}/`) || pattern.test(sample)),
      sample,
    );
  }
});

test("no file names a machine's folders, a registry or a private address", () => {
  assert.ok(PROJECT_FILES.length > 100);
  const found = PROJECT_FILES.flatMap((path) => {
    const text = read(path).replaceAll(EXAMPLES, "");
    return Object.entries(OF_ONE_MACHINE)
      .filter(([, pattern]) => pattern.test(text))
      .map(([what, pattern]) => `${path}: ${what}: ${pattern.exec(text)![0]}`);
  });
  assert.deepEqual(found, []);
});
