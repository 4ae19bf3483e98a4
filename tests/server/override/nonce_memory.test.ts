import assert from "node:assert/strict";
import { test } from "node:test";
import { NonceMemory } from "../../../server/override/nonce_memory.ts";

test("NonceMemory takes a nonce again only when it need not be remembered any longer", () => {
  const memory = new NonceMemory();
  assert.equal(memory.use("a", { nowS: 0, untilS: 10 }), true);
  assert.equal(memory.use("a", { nowS: 9, untilS: 19 }), false);
  assert.equal(memory.use("b", { nowS: 9, untilS: 19 }), true);
  assert.equal(memory.use("a", { nowS: 10, untilS: 20 }), true);
});

test("NonceMemory refuses when it is full, forgets nothing that counts, and goes on when there is room", () => {
  const memory = new NonceMemory(2);
  assert.equal(memory.use("a", { nowS: 0, untilS: 10 }), true);
  assert.equal(memory.use("b", { nowS: 0, untilS: 20 }), true);
  assert.equal(memory.use("c", { nowS: 5, untilS: 15 }), false);
  assert.equal(memory.use("a", { nowS: 5, untilS: 15 }), false);
  assert.equal(memory.use("c", { nowS: 10, untilS: 20 }), true);
  assert.equal(memory.use("d", { nowS: 10, untilS: 20 }), false);
});
