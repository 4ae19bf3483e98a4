import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import type { ClientKeyMap } from "../../../server/keys/keys_file.ts";
import { ShownKeys } from "../../../server/keys/shown_keys.ts";

const KEYS: ClientKeyMap = new Map([
  [
    createHash("sha256").update("a-key").digest("hex"),
    { name: "a", scopes: new Set(["inference"] as const) },
  ],
]);

test("only what shows a key is remembered, and no more than so much of it", () => {
  const shown = new ShownKeys();
  for (let guess = 0; guess < 100; guess++) assert.equal(shown.find(`guess-${guess}`, KEYS), undefined);
  assert.equal(shown.remembered, 0);
  for (let blanks = 1; blanks <= 3000; blanks++) {
    assert.equal(shown.find(`Bearer${" ".repeat(blanks)}a-key`, KEYS)?.name, "a");
    assert.ok(shown.remembered >= 1 && shown.remembered <= 256);
  }
  for (let written = 0; written < 2 ** 11; written++) {
    const blanks = written.toString(2).padStart(11, "0").replaceAll("0", " ").replaceAll("1", "\t");
    assert.equal(shown.find(`a-key${blanks}`, KEYS)?.name, "a");
    assert.ok(shown.remembered <= 1024);
  }
});

test("other keys forget what was shown before", () => {
  const shown = new ShownKeys();
  assert.equal(shown.find("a-key", KEYS)?.name, "a");
  assert.equal(shown.find("a-key", new Map()), undefined);
  assert.equal(shown.remembered, 0);
});
