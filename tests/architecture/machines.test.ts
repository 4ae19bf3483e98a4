import assert from "node:assert/strict";
import { test } from "node:test";
import { PROJECT_FILES, read } from "./source_tree.ts";

/** What only means something where it was written. The brackets keep this file from holding any of it. */
const OF_ONE_MACHINE: Readonly<Record<string, RegExp>> = {
  "a folder of somebody": /(?<![\w.-])\/(?:work|root|home\/\w+|Users\/\w+|workspace)\//,
  "a package registry": /\bregistry\.\w|np[m]js|\bpyp[i]\.org|\bjs[r]\.io|artifactor[y]/i,
};

test("the patterns find what they are for", () => {
  const samples = [`/${"work"}/x`, `/${"home"}/alice/x`, `${"registry"}.example.com`];
  for (const sample of samples) {
    const found = Object.values(OF_ONE_MACHINE).some((pattern) => pattern.test(`"${sample}"`));
    assert.ok(found, sample);
  }
});

test("no file names a machine's folders or a package registry", () => {
  assert.ok(PROJECT_FILES.length > 100);
  const found = PROJECT_FILES.flatMap((path) => {
    const text = read(path);
    return Object.entries(OF_ONE_MACHINE).flatMap(([what, pattern]) => {
      const match = pattern.exec(text);
      return match ? [`${path}: ${what}: ${match[0]}`] : [];
    });
  });
  assert.deepEqual(found, []);
});
