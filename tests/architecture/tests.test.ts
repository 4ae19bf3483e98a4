import assert from "node:assert/strict";
import { dirname } from "node:path";
import { test } from "node:test";
import { PROJECT_FILES, read } from "./source_tree.ts";

const testFiles = PROJECT_FILES.filter((path) => path.endsWith(".test.ts"));

test("every test file is in a folder that tests/run.ts runs", () => {
  const run = [...read("tests/run.ts").matchAll(/"(tests\/[\w/]+)"/g)].map(([, folder]) => folder!);
  assert.ok(run.length > 1);
  const left = testFiles.filter((path) => !run.some((folder) => path.startsWith(`${folder}/`)));
  assert.deepEqual(left, []);
  const empty = run.filter((folder) => !testFiles.some((path) => path.startsWith(`${folder}/`)));
  assert.deepEqual(empty, []);
});

test("every test file imports node:test, and no test runs alone", () => {
  assert.ok(testFiles.length > 20);
  for (const path of testFiles) {
    const text = read(path);
    assert.match(text, /from "(?:node:test|\.[\w./]+)"/, path);
    assert.doesNotMatch(text, /\b(?:test|it|describe|suite)\.only\(|\bonly: true/, path);
  }
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

test("what a test file is named for exists", () => {
  const mirrored = testFiles.filter((path) => /^tests\/(?:server|shared|worker)\//.test(path));
  assert.ok(mirrored.length > 20);
  const folders = new Set(PROJECT_FILES.map(dirname));
  const homeless = mirrored.filter((path) => !folders.has(dirname(path).replace("tests/", "")));
  assert.deepEqual(homeless, []);
});
