import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Capacity } from "../../worker/capacity.ts";

describe("shares() of a capacity between relays", () => {
  for (const { limit, relays, shares } of [
    { limit: 8, relays: 1, shares: [8] },
    { limit: 8, relays: 2, shares: [4, 4] },
    { limit: 8, relays: 3, shares: [3, 3, 2] },
    { limit: 3, relays: 3, shares: [1, 1, 1] },
    { limit: 1, relays: 2, shares: [1, 1] },
  ]) {
    test(`${limit} among ${relays} is ${shares}`, () => {
      assert.deepEqual(new Capacity(limit).shares(relays), shares);
    });
  }
});

test("take() gives as many slots as there are, and release() gives one back", () => {
  const capacity = new Capacity(2);
  assert.deepEqual([capacity.take(), capacity.take(), capacity.take()], [true, true, false]);
  capacity.release();
  assert.equal(capacity.inFlight, 1);
  assert.equal(capacity.take(), true);
});

test("whenIdle() waits for the last slot, and not at all when none is taken", async () => {
  const capacity = new Capacity(2);
  await capacity.whenIdle();
  capacity.take();
  capacity.take();
  let idle = false;
  const waiting = capacity.whenIdle().then(() => {
    idle = true;
  });
  capacity.release();
  await Promise.resolve();
  assert.equal(idle, false);
  capacity.release();
  await waiting;
});
