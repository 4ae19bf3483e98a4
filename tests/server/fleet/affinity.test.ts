import assert from "node:assert/strict";
import { test } from "node:test";
import { Affinity } from "../../../server/fleet/affinity.ts";
import { Fleet, type Registration } from "../../../server/fleet.ts";
import { FakeClock } from "../../support/fake_clock.ts";

const MINUTE_MS = 60_000;
const TALK = { session: "talk", model: "m" };

function setUp() {
  const clock = new FakeClock();
  const fleet = new Fleet<string>({ clock });
  const join = (facts: Partial<Registration<string>> = {}) =>
    fleet.join({
      name: "box",
      provider: "local",
      models: ["m"],
      endpointPrefixes: [],
      maxConcurrent: 1,
      capabilities: new Set(),
      linkForm: "framed",
      link: "a link",
      ...facts,
    });
  const sticky = (session = "talk", model = "m") => fleet.snapshot().affinity.sticky(session, model);
  const keeper = (id = "resp_1") => fleet.snapshot().affinity.keeper(id);
  return { clock, fleet, join, sticky, keeper };
}

test("a session sticks to who served it last, for this model and no other", () => {
  const { fleet, join, sticky } = setUp();
  const [first, second] = [join(), join()];
  fleet.stickTo(first, TALK);
  fleet.stickTo(second, { session: "talk" });
  assert.deepEqual([sticky(), sticky("talk", "")], [first.id, second.id]);
  assert.deepEqual([sticky("talk", "n"), sticky("other")], [undefined, undefined]);
  fleet.stickTo(second, TALK);
  assert.equal(sticky(), second.id);
});

test("a session ends after ten idle minutes", () => {
  const { clock, fleet, join, sticky } = setUp();
  const worker = join();
  fleet.stickTo(worker, TALK);
  clock.advance(9 * MINUTE_MS);
  fleet.stickTo(worker, TALK);
  clock.advance(10 * MINUTE_MS - 1);
  assert.equal(sticky(), worker.id);
  clock.advance(1);
  assert.equal(sticky(), undefined);
});

test("a session ends when its worker leaves, even when the same process comes back", () => {
  const { fleet, join, sticky } = setUp();
  const worker = join({ identity: "process" });
  fleet.stickTo(worker, TALK);
  fleet.leave(worker);
  join({ identity: "process" });
  assert.equal(sticky(), undefined);
});

test("an id is found for an hour, and not for longer because it was looked for", () => {
  const { clock, fleet, join, keeper } = setUp();
  const worker = join();
  fleet.keeps(worker, "resp_1");
  clock.advance(60 * MINUTE_MS - 1);
  assert.equal(keeper(), worker.id);
  clock.advance(1);
  assert.equal(keeper(), undefined);
  assert.equal(keeper("resp_2"), undefined);
});

test("who keeps an id is found again after it reconnected, under its new id", () => {
  const { fleet, join, keeper } = setUp();
  const worker = join({ identity: "process" });
  const other = join({ identity: "other process" });
  fleet.keeps(worker, "resp_1");
  fleet.keeps(other, "resp_2");
  fleet.leave(worker);
  assert.equal(keeper(), undefined);
  const again = join({ identity: "process" });
  assert.deepEqual([keeper(), keeper("resp_2")], [again.id, other.id]);
});

test("the new link of a process counts while its old one is not yet seen to break, and afterwards", () => {
  const { fleet, join, keeper } = setUp();
  const old = join({ identity: "process" });
  fleet.keeps(old, "resp_1");
  const again = join({ identity: "process" });
  assert.equal(keeper(), again.id);
  fleet.leave(old);
  assert.equal(keeper(), again.id);
});

test("without an identity, what a worker keeps is forgotten with its link", () => {
  const { fleet, join, keeper } = setUp();
  const worker = join();
  fleet.keeps(worker, "resp_1");
  fleet.leave(worker);
  join();
  assert.equal(keeper(), undefined);
});

test("nobody takes over what another keeps by calling itself the same", () => {
  const { fleet, join, keeper } = setUp();
  const worker = join({ identity: "process" });
  const nameless = join();
  fleet.keeps(worker, "resp_1");
  fleet.keeps(nameless, "resp_2");
  join({ identity: "process", provider: "elsewhere" });
  join({ identity: nameless.id });
  assert.deepEqual([keeper(), keeper("resp_2")], [worker.id, nameless.id]);
});

test("what a worker keeps is not learned after it left", () => {
  const { fleet, join, keeper } = setUp();
  const worker = join({ identity: "process" });
  fleet.leave(worker);
  fleet.keeps(worker, "resp_1");
  join({ identity: "process" });
  assert.equal(keeper(), undefined);
});

test("the identity of a worker is not shown with it", () => {
  const { fleet, join } = setUp();
  const worker = join({ identity: "process" });
  assert.ok(!JSON.stringify(worker).includes("process"));
  fleet.leave(worker);
});

test("both tables are bounded, and what came last is in them", () => {
  const affinity = new Affinity();
  affinity.join("worker-1");
  for (let at = 0; at < 20_000; at++)
    affinity.rememberSession({ session: `s${at}`, model: "m", workerId: "worker-1" }, at);
  for (let at = 0; at < 70_000; at++) affinity.rememberKept(`id${at}`, "worker-1", at);
  const view = affinity.at(70_000);
  const count = (found: (at: number) => unknown, most: number) =>
    Array.from({ length: most }, (_, at) => found(at)).filter(Boolean).length;
  const sessions = count((at) => view.sticky(`s${at}`, "m"), 20_000);
  const kept = count((at) => view.keeper(`id${at}`), 70_000);
  assert.ok(sessions >= 8_192 && sessions <= 16_384, `${sessions}`);
  assert.ok(kept >= 32_768 && kept <= 65_536, `${kept}`);
  assert.deepEqual([view.sticky("s19999", "m"), view.keeper("id69999")], ["worker-1", "worker-1"]);
});

test("the fleet measures by provider and model", () => {
  const { clock, fleet, join } = setUp();
  const worker = join({ provider: "home/4090" });
  fleet.measure(worker, "m", { latencyS: 0.5 });
  fleet.measure(worker, undefined, { latencyS: 2 });
  const { measured } = fleet.snapshot();
  assert.equal(measured.of("home/4090", "m")?.latency?.p50, 0.5);
  assert.equal(measured.of("home/4090", "")?.latency?.p50, 2);
  clock.advance(5 * MINUTE_MS);
  assert.equal(fleet.snapshot().measured.of("home/4090", "m"), undefined);
});
