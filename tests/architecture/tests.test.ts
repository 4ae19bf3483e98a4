import assert from "node:assert/strict";
import { test } from "node:test";
import { PROJECT_FILES, read } from "./source_tree.ts";

const testFiles = PROJECT_FILES.filter((path) => path.endsWith(".test.ts"));

test("every test file is in a folder that tests/run.ts runs", () => {
  const run = [...read("tests/run.ts").matchAll(/"(tests\/[\w/]+)"/g)].map(([, folder]) => folder!);
  assert.ok(run.length > 1);
  const left = testFiles.filter((path) => !run.some((folder) => path.startsWith(`${folder}/`)));
  assert.deepEqual(left, []);
});

test("no test runs alone", () => {
  assert.ok(testFiles.length > 20);
  const alone = testFiles.filter((path) =>
    /\b(?:test|it|describe|suite)\.only\(|\bonly: true/.test(read(path)),
  );
  assert.deepEqual(alone, []);
});

/** A listing of a folder is what can come up empty without anybody noticing; lists in the source cannot. */
test("a test that lists a folder asserts that it found something", () => {
  const listing = testFiles.filter((path) =>
    /\breaddirSync\(|\bPROJECT_FILES\b|\bsources\(/.test(read(path)),
  );
  assert.ok(listing.length > 3);
  for (const path of listing) {
    assert.match(read(path), /assert\.(?:ok|notEqual)\([^;]*(?:\blength\b|\.some\()/, path);
  }
});
