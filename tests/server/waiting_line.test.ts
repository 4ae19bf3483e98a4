import assert from "node:assert/strict";
import { test } from "node:test";
import { failedWith, lineSetUp as setUp } from "./waiting_line_set_up.ts";

test("enter() does not wait when there is a slot", async () => {
  const { line, join, enter } = setUp();
  const worker = join();
  const { slot, decision } = await enter();
  assert.equal(slot.worker.id, worker.id);
  assert.equal(decision.candidates[0]!.worker.id, worker.id);
  assert.equal(line.length, 0);
});

test("enter() waits for a slot and gets it when it is free", async () => {
  const { clock, line, join, enter } = setUp();
  const worker = join();
  const first = await enter();
  const second = enter({ bytes: 10 });
  assert.deepEqual([line.length, line.bytes], [1, 10]);
  first.slot[Symbol.dispose]();
  assert.deepEqual(
    [line.length, line.bytes, worker.inFlight],
    [0, 0, 1],
    "at once, before anybody else has a turn",
  );
  assert.equal((await second).slot.worker.id, worker.id);
  assert.equal(clock.pending, 0);
});

test("enter() refuses what nobody serves, with the funnel", async () => {
  const { join, enter } = setUp();
  join();
  const failure = await failedWith(enter({ model: "x" }), "model_not_found");
  assert.deepEqual(failure.options.metadata?.failed_rule, "model");
  assert.ok(Array.isArray(failure.options.metadata?.routing_funnel));
});

const wakes: { name: string; change: (tools: ReturnType<typeof setUp>) => void }[] = [
  { name: "a worker joins", change: ({ join }) => join() },
  { name: "a worker takes the model on", change: ({ fleet, other }) => fleet.updateModels(other, ["m"]) },
  { name: "a worker stops draining", change: ({ fleet, drained }) => fleet.setDraining(drained, false) },
  { name: "a backend answers again", change: ({ fleet, sick }) => fleet.setHealthy(sick, true) },
  { name: "a worker reports less load", change: ({ fleet, loaded }) => fleet.reportLoad(loaded, 0) },
  { name: "a slot is disposed", change: ({ held }) => held[Symbol.dispose]() },
];

for (const { name, change } of wakes) {
  test(`the line moves when ${name}`, async () => {
    const tools = setUp({ crowd: true });
    const waiting = tools.enter();
    assert.equal(tools.line.length, 1);
    change(tools);
    assert.equal(tools.line.length, 0);
    (await waiting).slot[Symbol.dispose]();
  });
}

test("a worker that joins with several slots takes as many as it can, oldest first", async () => {
  const { fleet, line, join, enter } = setUp();
  fleet.leave(join());
  const order: number[] = [];
  for (const at of [1, 2, 3]) void enter().then(() => order.push(at));
  join({ maxConcurrent: 2 });
  assert.equal(line.length, 1);
  await Promise.resolve();
  await Promise.resolve();
  await Promise.resolve();
  assert.deepEqual(order, [1, 2]);
});

test("a request that comes back keeps the place of its arrival", async () => {
  const { clock, line, join, enter } = setUp();
  const worker = join();
  const firstArrivedAtMs = clock.nowMs();
  const first = await enter();
  clock.advance(10);
  const second = enter();
  const again = enter({ arrivedAtMs: firstArrivedAtMs });
  first.slot[Symbol.dispose]();
  assert.equal(line.length, 1);
  const placed = await Promise.race([again, second]);
  assert.equal(placed, await again);
  placed.slot[Symbol.dispose]();
  assert.equal((await second).slot.worker.id, worker.id);
});

test("line_full: no more than the count", async () => {
  const { join, enter } = setUp({ limits: { countMax: 2, bytesMax: 100 } });
  join();
  await enter();
  void enter();
  void enter();
  await failedWith(enter(), "line_full");
});

test("line_full: no more than the bytes, and what left makes room", async () => {
  const { join, enter, abort } = setUp({ limits: { countMax: 9, bytesMax: 100 } });
  join();
  await enter();
  const big = enter({ bytes: 60, signal: abort.signal });
  await failedWith(enter({ bytes: 41 }), "line_full");
  void enter({ bytes: 40 });
  abort.abort();
  await failedWith(big, "client_gone");
  void enter({ bytes: 60 });
  await failedWith(enter({ bytes: 1 }), "line_full");
});

test("wait_expired at the deadline, not before", async () => {
  const { clock, line, join, enter } = setUp();
  join();
  await enter();
  const late = enter({ waitMs: 30_000 });
  clock.advance(29_999);
  assert.equal(line.length, 1);
  clock.advance(1);
  assert.equal(line.length, 0);
  await failedWith(late, "wait_expired");
});

test("a deadline that has passed is no reason to refuse when there is a slot", async () => {
  const { join, enter } = setUp();
  join();
  const { slot } = await enter({ waitMs: -1 });
  await failedWith(enter({ waitMs: -1 }), "wait_expired");
  slot[Symbol.dispose]();
});

test("without a deadline no timer is set", async () => {
  const { clock, join, enter } = setUp();
  join();
  const { slot } = await enter();
  const waiting = enter({ waitMs: Number.POSITIVE_INFINITY });
  assert.equal(clock.pending, 0);
  slot[Symbol.dispose]();
  await waiting;
});

test("a client that leaves frees its place; one that had left gets none", async () => {
  const { clock, line, join, enter, abort } = setUp();
  const worker = join();
  const { slot } = await enter();
  const waiting = enter({ signal: abort.signal });
  abort.abort();
  assert.equal(line.length, 0);
  await failedWith(waiting, "client_gone");
  await failedWith(enter({ signal: abort.signal }), "client_gone");
  slot[Symbol.dispose]();
  assert.equal(worker.inFlight, 0);
  assert.equal(clock.pending, 0);
});

test("a client that leaves after its turn came still gets its slot to dispose", async () => {
  const { join, enter, abort } = setUp();
  const worker = join();
  const { slot } = await enter();
  const waiting = enter({ signal: abort.signal });
  slot[Symbol.dispose]();
  abort.abort();
  (await waiting).slot[Symbol.dispose]();
  assert.equal(worker.inFlight, 0);
});

test("close() refuses all who wait and all who come", async () => {
  const { clock, line, join, enter } = setUp();
  const worker = join();
  const { slot } = await enter();
  const waiting = [enter(), enter()];
  line.close("shutting_down");
  for (const one of waiting) await failedWith(one, "shutting_down");
  slot[Symbol.dispose]();
  await failedWith(enter(), "shutting_down");
  assert.deepEqual([line.length, line.bytes, clock.pending, worker.inFlight], [0, 0, 0, 0]);
});

test("Retry-After follows the pace of the line, once there is one", async () => {
  const { clock, join, enter } = setUp({ limits: { countMax: 3, bytesMax: 100 } });
  join();
  let { slot } = await enter();
  const waiting = [enter(), enter(), enter()];
  assert.equal((await failedWith(enter(), "line_full")).retryAfterS, 2, "the table's");
  for (const next of waiting) {
    clock.advance(4_000);
    slot[Symbol.dispose]();
    slot = (await next).slot;
  }
  void enter({ waitMs: 1e6 });
  void enter({ waitMs: 1e6 });
  void enter({ waitMs: 1e6 });
  assert.equal((await failedWith(enter(), "line_full")).retryAfterS, 16, "4 of them, one each 4 s");
});

test("a hundred alike cost one look when a worker that is not for them is free again", async () => {
  const { fleet, join, enter } = setUp();
  join();
  const other = join({ models: ["n"] });
  await enter();
  const { slot } = await enter({ model: "n" });
  for (let at = 0; at < 100; at++) void enter();
  let looks = 0;
  const models = new Set(["n"]);
  Object.assign(other, { models: Object.assign(models, { has: () => ++looks === 0 }) });
  slot[Symbol.dispose]();
  assert.ok(looks > 0 && looks <= 2, `looked ${looks} times`);
  assert.equal(fleet.snapshot().turn, 2);
});
