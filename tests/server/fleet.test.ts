import assert from "node:assert/strict";
import { test } from "node:test";
import { Fleet, type Registration } from "../../server/fleet.ts";
import { decide } from "../../server/routing/decide.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { request } from "./routing/fleet_builder.ts";

const GRACE_MS = 60_000;

function setUp(options: { absentGraceMs?: number } = {}) {
  const clock = new FakeClock();
  const fleet = new Fleet<string>({ clock, ...options });
  const told: string[] = [];
  fleet.onChange(({ id }) => told.push(id));
  return { clock, fleet, told, takeTold: () => told.splice(0) };
}

function registration(facts: Partial<Registration<string>> = {}): Registration<string> {
  return {
    name: "box",
    provider: "local",
    models: ["m"],
    endpointPrefixes: [],
    maxConcurrent: 1,
    capabilities: new Set(),
    linkForm: "framed",
    link: "a link",
    ...facts,
  };
}

test("join() gives ids that count up and are not given again", () => {
  const { fleet } = setUp();
  const first = fleet.join(registration());
  fleet.leave(first);
  assert.deepEqual([first.id, fleet.join(registration()).id], ["worker-1", "worker-2"]);
});

test("reserve() gives the link, and the slot is taken until it is disposed", () => {
  const { fleet } = setUp();
  const worker = fleet.join(registration());
  const slot = fleet.reserve({ worker });
  assert.equal(slot.worker.link, "a link");
  assert.equal(decide(request(), fleet.snapshot()).type, "wait");
  slot[Symbol.dispose]();
  slot[Symbol.dispose]();
  assert.equal(worker.inFlight, 0);
  assert.equal(decide(request(), fleet.snapshot()).type, "dispatch");
});

test("reserve() throws for a worker without a free slot and for one that left", () => {
  const { fleet } = setUp();
  const worker = fleet.join(registration());
  fleet.reserve({ worker });
  const full = /^Error: Cannot reserve worker "box" as it must have a free slot: 1 taken, load 1, 1 in all$/;
  assert.throws(() => fleet.reserve({ worker }), full);
  fleet.leave(worker);
  assert.throws(
    () => fleet.reserve({ worker }),
    /^Error: Cannot reserve worker "box" as it must be connected: worker-1 has left$/,
  );
});

test("a slot of a worker that left does nothing when it is disposed", () => {
  const { fleet, takeTold } = setUp();
  const worker = fleet.join(registration());
  const slot = fleet.reserve({ worker });
  takeTold();
  fleet.leave(worker);
  fleet.leave(worker);
  slot[Symbol.dispose]();
  assert.deepEqual(takeTold(), []);
  assert.equal(fleet.snapshot().present.workers.size, 0);
});

test("snapshot() counts the turns", () => {
  const { fleet } = setUp();
  const worker = fleet.join(registration({ maxConcurrent: 2 }));
  fleet.reserve({ worker });
  fleet.reserve({ worker });
  assert.equal(fleet.snapshot().turn, 2);
  assert.equal(worker.lastTurn, 2);
});

test("reportLoad() counts what others take, and our own only once", () => {
  const { fleet } = setUp();
  const worker = fleet.join(registration({ maxConcurrent: 4, reportedLoad: 1 }));
  const [a, b] = [fleet.reserve({ worker }), fleet.reserve({ worker })];
  assert.equal(worker.reportedLoad, 3);
  fleet.reportLoad(worker, 3);
  a[Symbol.dispose]();
  assert.equal(worker.reportedLoad, 2);
  // A report from before the request arrived there.
  fleet.reportLoad(worker, 0);
  b[Symbol.dispose]();
  assert.equal(worker.reportedLoad, 0);
});

test("onChange() tells of every change that lets a worker take more, and of no other", () => {
  const { fleet, takeTold } = setUp();
  const a = fleet.join(registration({ maxConcurrent: 2 }));
  assert.deepEqual(takeTold(), ["worker-1"], "joined");
  const first = fleet.reserve({ worker: a });
  first[Symbol.dispose]();
  assert.deepEqual(takeTold(), [], "had a free slot all the time");
  const [second, third] = [fleet.reserve({ worker: a }), fleet.reserve({ worker: a })];
  second[Symbol.dispose]();
  assert.deepEqual(takeTold(), ["worker-1"], "was full");
  fleet.reportLoad(a, 2);
  assert.deepEqual(takeTold(), [], "busier");
  fleet.reportLoad(a, 1);
  assert.deepEqual(takeTold(), ["worker-1"], "less busy");
  fleet.updateModels(a, ["n"]);
  assert.deepEqual(takeTold(), ["worker-1"], "other models");
  fleet.setDraining(a);
  fleet.setHealthy(a, false);
  third[Symbol.dispose]();
  fleet.setDraining(a, false);
  assert.deepEqual(takeTold(), [], "draining or unhealthy");
  fleet.setHealthy(a, true);
  assert.deepEqual(takeTold(), ["worker-1"], "well again");
  fleet.leave(a);
  fleet.updateModels(a, ["m"]);
  fleet.reportLoad(a, 0);
  fleet.setDraining(a, false);
  assert.deepEqual(takeTold(), [], "left");
});

test("onChange() ends when asked", () => {
  const { fleet } = setUp();
  let calls = 0;
  const stop = fleet.onChange(() => calls++);
  fleet.join(registration());
  stop();
  fleet.join(registration());
  assert.equal(calls, 1);
});

test("a listener may reserve during the call", () => {
  const { fleet } = setUp();
  const slots: unknown[] = [];
  fleet.onChange((worker) => slots.push(fleet.reserve({ worker })));
  assert.equal(fleet.join(registration()).inFlight, 1);
  assert.equal(slots.length, 1);
});

const wait = (fleet: Fleet<string>, model = "m") => decide(request({ model }), fleet.snapshot()).type;

test("a model is waited for until the grace is over after its last worker left", () => {
  const { fleet, clock } = setUp();
  const worker = fleet.join(registration());
  fleet.setDraining(worker);
  fleet.leave(worker);
  clock.advance(GRACE_MS - 1);
  assert.equal(wait(fleet), "wait");
  clock.advance(1);
  assert.equal(wait(fleet), "refuse");
});

test("a model that was taken off the list is waited for, and the others are not touched", () => {
  const { fleet, clock } = setUp();
  const worker = fleet.join(registration({ models: ["m", "n"] }));
  fleet.updateModels(worker, ["n"]);
  assert.deepEqual([wait(fleet), wait(fleet, "n")], ["wait", "dispatch"]);
  clock.advance(GRACE_MS);
  assert.deepEqual([wait(fleet), wait(fleet, "n")], ["refuse", "dispatch"]);
});

test("a grace of 0 waits for nobody", () => {
  const { fleet } = setUp({ absentGraceMs: 0 });
  fleet.leave(fleet.join(registration()));
  assert.equal(wait(fleet), "refuse");
});

test("what is remembered of workers that left is bounded, and does not keep their links", () => {
  const { fleet } = setUp();
  for (let at = 0; at < 5_000; at++) fleet.leave(fleet.join(registration({ models: [`m${at}`] })));
  const { absent, present } = fleet.snapshot();
  assert.equal(absent.workers.size, 4_096);
  assert.equal(present.workers.size, 0);
  assert.deepEqual([wait(fleet, "m0"), wait(fleet, "m4999")], ["refuse", "wait"]);
  for (const worker of absent.workers) assert.ok(!("link" in worker));
});
