import assert from "node:assert/strict";
import { test } from "node:test";
import { release } from "../../shared/release.ts";

const LARGE = 64 * 1024;

test("what is released takes no memory any more", () => {
  const bytes = new Uint8Array(LARGE);
  const view = bytes.subarray(10, 20);
  release(bytes);
  assert.deepEqual([bytes.length, view.length], [0, 0]);
});

test("a part of a larger buffer is not released: the rest of it is somebody's", () => {
  const whole = new Uint8Array(2 * LARGE).fill(1);
  release(whole.subarray(0, LARGE));
  release(whole.subarray(LARGE));
  assert.ok(whole.length === 2 * LARGE && whole.every((byte) => byte === 1));
});

test("small buffers are left to the collector", () => {
  const bytes = new Uint8Array(1000);
  release(bytes);
  assert.equal(bytes.length, 1000);
});
