/**
 * The scheduling part of ModelRelay's contract tests, by the number and name that they have there. Where Signalbox
 * promises something else on purpose, the test says so. Numbers 12, 20, 21 and 24 are the link's and the relay's.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { failedWith, lineSetUp as setUp } from "./waiting_line_set_up.ts";

const QUEUE_TIMEOUT_MS = 30_000;
const idOf = async (placed: Promise<{ slot: { worker: { id: string } } }>) => (await placed).slot.worker.id;

test("3 graceful_shutdown_stops_new_assignments_…: a draining worker's last answer assigns nothing, the queued one stays", async () => {
  const { fleet, line, join, enter } = setUp();
  const worker = join();
  const { slot } = await enter();
  void enter();
  fleet.setDraining(worker);
  slot[Symbol.dispose]();
  fleet.leave(worker);
  assert.equal(line.length, 1);
});

test("6 request_for_supported_model_dispatches_immediately_without_queueing", async () => {
  const { line, join, enter } = setUp();
  join();
  assert.equal(await idOf(enter()), "worker-1");
  assert.equal(line.length, 0);
});

test("7 request_queues_when_all_matching_workers_are_at_capacity", async () => {
  const { line, join, enter } = setUp();
  join();
  join({ models: ["other"] });
  await enter();
  void enter();
  assert.equal(line.length, 1);
});

test("8 selection_prefers_the_lowest_load_among_exact_model_matches", async () => {
  const { join, enter } = setUp();
  join({ maxConcurrent: 2 });
  join({ maxConcurrent: 2 });
  assert.deepEqual([await idOf(enter()), await idOf(enter())], ["worker-1", "worker-2"]);
});

test("9 models_update_immediately_changes_routing_without_worker_reconnect", async () => {
  const { fleet, line, join, enter } = setUp();
  const worker = join({ models: ["old", "new"] });
  fleet.updateModels(worker, ["old"]);
  const waiting = enter({ model: "new" });
  assert.equal(line.length, 1);
  fleet.updateModels(worker, ["old", "new"]);
  (await waiting).slot[Symbol.dispose]();
  fleet.updateModels(worker, ["old"]);
  void enter({ model: "new" });
  assert.equal(line.length, 1);
  assert.equal(fleet.snapshot().present.workers.size, 1);
});

test("10 equally_loaded_exact_matches_rotate_in_round_robin_order", async () => {
  const { join, enter } = setUp();
  for (let at = 0; at < 3; at++) join();
  const order: string[] = [];
  for (let at = 0; at < 4; at++) {
    using slot = (await enter()).slot;
    order.push(slot.worker.id);
  }
  assert.deepEqual(order, ["worker-1", "worker-2", "worker-3", "worker-1"]);
});

test("11 pong_updates_live_load_used_for_selection", async () => {
  const { fleet, join, enter } = setUp();
  const first = join({ maxConcurrent: 2 });
  const second = join({ maxConcurrent: 2 });
  fleet.reportLoad(first, 1);
  fleet.reportLoad(second, 0);
  assert.equal(await idOf(enter()), second.id);
});

test("13 stale_workers_are_not_selected_for_new_requests: one that was given up is skipped, alone it is waited for", async () => {
  const { fleet, line, join, enter } = setUp();
  const stale = join({ maxConcurrent: 4 });
  const busier = join({ maxConcurrent: 4, reportedLoad: 3 });
  fleet.leave(stale);
  assert.equal(await idOf(enter()), busier.id);
  void enter();
  assert.equal(line.length, 1);
});

test("14 idle_workers_without_the_exact_requested_model_remain_ineligible", async () => {
  const { join, enter } = setUp();
  const near = join({ models: ["m-q4"], maxConcurrent: 4 });
  const exact = join({ maxConcurrent: 2 });
  assert.deepEqual([await idOf(enter()), await idOf(enter())], [exact.id, exact.id]);
  assert.equal(near.inFlight, 0);
});

test("15 workers_without_the_exact_requested_model_do_not_receive_the_request (ours: refused rather than queued when nobody has it)", async () => {
  const { join, enter } = setUp();
  const near = join({ models: ["m-q4"] });
  await failedWith(enter(), "model_not_found");
  assert.equal(near.inFlight, 0);
});

test("16 queued_requests_are_fifo_within_a_provider_among_compatible_models", async () => {
  const { clock, join, enter } = setUp();
  join();
  join({ models: ["n"] });
  const { slot: m } = await enter();
  const { slot: n } = await enter({ model: "n" });
  const order: string[] = [];
  const waiting = ["n", "m", "n", "m"].map((model, at) => {
    clock.advance(1);
    return enter({ model }).then(({ slot }) => {
      order.push(`${model}${at}`);
      slot[Symbol.dispose]();
    });
  });
  m[Symbol.dispose]();
  await waiting[3];
  assert.deepEqual(order, ["m1", "m3"]);
  n[Symbol.dispose]();
  await Promise.all(waiting);
  assert.deepEqual(order, ["m1", "m3", "n0", "n2"]);
});

test("17 canceling_a_queued_request_removes_it_before_dispatch", async () => {
  const { line, join, enter, abort } = setUp();
  const worker = join();
  const { slot } = await enter();
  const queued = enter({ signal: abort.signal });
  abort.abort();
  await failedWith(queued, "client_gone");
  slot[Symbol.dispose]();
  assert.deepEqual([line.length, worker.inFlight], [0, 0]);
});

test("18 queued_request_times_out_after_waiting_for_worker_capacity", async () => {
  const { clock, line, join, enter } = setUp();
  join();
  await enter();
  const queued = enter({ waitMs: QUEUE_TIMEOUT_MS });
  clock.advance(QUEUE_TIMEOUT_MS - 1);
  assert.equal(line.length, 1);
  clock.advance(1);
  await failedWith(queued, "wait_expired");
  assert.equal(line.length, 0);
});

test("19 queue_capacity_exhaustion_rejects_without_waiting_for_timeout", async () => {
  const { clock, line, join, enter } = setUp({ limits: { countMax: 1, bytesMax: 100 } });
  join();
  await enter();
  void enter();
  await failedWith(enter(), "line_full");
  assert.deepEqual([line.length, clock.pending], [1, 1]);
});

test("22 disconnecting_a_worker_requeues_a_live_in_flight_request (ours: an idle worker gets it at once)", async () => {
  const { clock, fleet, line, join, enter } = setUp();
  const arrivedAtMs = clock.nowMs();
  const lost = join();
  await enter({ arrivedAtMs });
  fleet.leave(lost);
  const again = enter({ arrivedAtMs, excluded: [lost.id] });
  assert.equal(line.length, 1);
  const back = join();
  assert.equal(await idOf(again), back.id);
  fleet.leave(back);
  join();
  assert.equal(await idOf(enter({ arrivedAtMs, excluded: [lost.id, back.id] })), "worker-3");
});

test("23 disconnecting_a_worker_does_not_requeue_a_request_after_it_was_canceled", async () => {
  const { fleet, line, join, enter, abort } = setUp();
  const lost = join();
  await enter({ signal: abort.signal });
  abort.abort();
  fleet.leave(lost);
  await failedWith(enter({ excluded: [lost.id], signal: abort.signal }), "client_gone");
  assert.equal(line.length, 0);
});
