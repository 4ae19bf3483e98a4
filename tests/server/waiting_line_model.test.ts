import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Fleet, type FleetWorker, type Slot } from "../../server/fleet.ts";
import { decide } from "../../server/routing/decide.ts";
import { isEligible } from "../../server/routing/eligible.ts";
import type { RouteRequest } from "../../server/routing/types.ts";
import { wantedOf } from "../../server/routing/wanted.ts";
import { WaitingLine } from "../../server/waiting_line.ts";
import { RelayFailure } from "../../shared/failures.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { type RequestFacts, request } from "./routing/fleet_builder.ts";
import { asked } from "./waiting_line_requests.ts";

const WAIT_MS = 30_000;
const LIMITS = { countMax: 6, bytesMax: 20 };

/** One request as the test knows it. */
interface Asked {
  request: RouteRequest;
  bytes: number;
  arrivedAtMs: number;
  deadlineMs: number;
  leave: AbortController;
  state: "waiting" | "held" | "over";
  slot?: Slot<string>;
}

/** The line and its fleet under random treatment, beside the plainest account of what should be the case. */
class World {
  readonly clock = new FakeClock();
  readonly fleet = new Fleet<string>({ clock: this.clock });
  readonly line = new WaitingLine<string>({ clock: this.clock, fleet: this.fleet, limits: LIMITS });
  readonly workers: FleetWorker<string>[] = [];
  readonly asked: Asked[] = [];
  readonly failures = new Map<string, number>();
  readonly problems: unknown[] = [];
  waited = 0;

  of(state: Asked["state"]) {
    return this.asked.filter((one) => one.state === state);
  }

  join(facts: { models: readonly string[]; maxConcurrent: number; provider: string }) {
    const others = { name: "box", endpointPrefixes: [], linkForm: "framed", link: "" } as const;
    const labels = { price: { prompt: facts.provider.length } };
    this.workers.push(this.fleet.join({ ...others, ...facts, labels, capabilities: new Set() }));
  }

  ask(facts: RequestFacts, bytes: number) {
    const nowMs = this.clock.nowMs();
    this.#enter({
      request: request(facts),
      bytes,
      arrivedAtMs: nowMs,
      deadlineMs: nowMs + WAIT_MS,
      leave: new AbortController(),
      state: "waiting",
    });
  }

  /** The worker failed it: it comes back to its old place. */
  again(one: Asked) {
    const failed = one.slot!.worker.id;
    one.state = "over";
    one.slot![Symbol.dispose]();
    const excluded = new Set([...(one.request.excluded ?? []), failed]);
    const heldTo = one.request.heldTo ?? one.slot!.worker.provider;
    this.#enter({ ...one, request: { ...one.request, excluded, heldTo }, state: "waiting" });
  }

  #enter(one: Asked) {
    this.asked.push(one);
    const before = this.line.length;
    const { request, bytes, arrivedAtMs, deadlineMs, leave } = one;
    this.line
      .enter({ request, bytes, arrivedAtMs, deadlineMs, signal: leave.signal })
      .then(
        ({ slot }) => {
          one.state = "held";
          one.slot = slot;
          this.#checkNobodyOlderWasPassed(one);
        },
        (failure) => {
          assert.ok(failure instanceof RelayFailure, String(failure));
          this.failures.set(failure.code, (this.failures.get(failure.code) ?? 0) + 1);
          one.state = "over";
        },
      )
      .catch((problem) => this.problems.push(problem));
    this.waited += this.line.length - before;
  }

  #checkNobodyOlderWasPassed(placed: Asked) {
    for (const other of this.of("waiting")) {
      if (other.arrivedAtMs >= placed.arrivedAtMs) continue;
      // Who is content with the best provider only may leave a slot to others.
      if (other.request.preferences?.allowFallbacks === false) continue;
      const wanted = wantedOf(other.request, this.fleet.snapshot());
      assert.ok(!isEligible(placed.slot!.worker, wanted), "an older one could have had the slot");
    }
  }

  check() {
    if (this.problems.length > 0) throw this.problems[0];
    for (const worker of this.fleet.snapshot().present.workers) {
      const held = this.of("held").filter(({ slot }) => slot!.worker === worker);
      assert.equal(worker.inFlight, held.length, "slots taken are slots held");
      assert.ok(worker.inFlight <= worker.maxConcurrent, "no worker has more than it can take");
    }
    const waiting = this.of("waiting");
    assert.equal(this.line.length, waiting.length);
    assert.equal(
      this.line.bytes,
      waiting.reduce((sum, { bytes }) => sum + bytes, 0),
    );
    assert.ok(this.line.length <= LIMITS.countMax && this.line.bytes <= LIMITS.bytesMax);
    assert.equal(this.clock.pending, waiting.length, "one timer each");
    for (const one of waiting) {
      assert.notEqual(
        decide(one.request, this.fleet.snapshot()).type,
        "dispatch",
        "waits while a slot is free",
      );
      assert.ok(one.deadlineMs > this.clock.nowMs(), "waits beyond its deadline");
    }
  }
}

const models = fc.constantFrom(["m"], ["n"], ["*"], ["m", "n"], []);
const nth = fc.nat(20);
/** What may happen. `nth` picks among what there is. */
const event = fc.oneof(
  fc
    .record({
      models,
      maxConcurrent: fc.integer({ min: 1, max: 3 }),
      provider: fc.constantFrom("a", "a/x", "b"),
    })
    .map((facts) => (world: World) => world.join(facts)),
  {
    weight: 4,
    arbitrary: fc.tuple(asked, fc.nat(8)).map(
      ([facts, bytes]) =>
        (world: World) =>
          world.ask(facts, bytes),
    ),
  },
  {
    weight: 3,
    arbitrary: nth.map(
      (at) => (world: World) =>
        on(world.of("held"), at, (one) => {
          one.state = "over";
          one.slot![Symbol.dispose]();
          one.slot![Symbol.dispose]();
        }),
    ),
  },
  nth.map((at) => (world: World) => on(world.of("held"), at, (one) => world.again(one))),
  nth.map((at) => (world: World) => on(world.of("waiting"), at, (one) => one.leave.abort())),
  fc.tuple(nth, models).map(
    ([at, list]) =>
      (world: World) =>
        on(world.workers, at, (worker) => world.fleet.updateModels(worker, list)),
  ),
  fc.tuple(nth, fc.nat(3)).map(
    ([at, load]) =>
      (world: World) =>
        on(world.workers, at, (worker) => world.fleet.reportLoad(worker, load)),
  ),
  fc.tuple(nth, fc.boolean()).map(
    ([at, yes]) =>
      (world: World) =>
        on(world.workers, at, (worker) => world.fleet.setDraining(worker, yes)),
  ),
  fc.tuple(nth, fc.boolean()).map(
    ([at, yes]) =>
      (world: World) =>
        on(world.workers, at, (worker) => world.fleet.setHealthy(worker, yes)),
  ),
  nth.map(
    (at) => (world: World) =>
      on(world.workers, at, (worker) => {
        world.fleet.leave(worker);
        world.workers.splice(world.workers.indexOf(worker), 1);
      }),
  ),
  fc.constantFrom(1, 1_000, WAIT_MS).map((ms) => (world: World) => world.clock.advance(ms)),
);

function on<T>(list: readonly T[], nth: number, act: (one: T) => void) {
  if (list.length > 0) act(list[nth % list.length]!);
}

/** What was resolved in the last step has told who waits for it. */
async function settle() {
  for (let turn = 0; turn < 8; turn++) await null;
}

test("in any sequence of events no slot leaks, no worker is overfilled, and nobody waits without need", async () => {
  const seen = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 60, size: "max" }), async (events) => {
      const world = new World();
      for (const happen of events) {
        happen(world);
        await settle();
        world.check();
      }
      for (const one of world.of("held")) {
        one.state = "over";
        one.slot![Symbol.dispose]();
      }
      await settle();
      world.line.close("shutting_down");
      await settle();
      for (const one of world.of("held")) one.slot![Symbol.dispose]();
      assert.deepEqual([world.line.length, world.line.bytes, world.clock.pending], [0, 0, 0]);
      for (const worker of world.fleet.snapshot().present.workers) assert.equal(worker.inFlight, 0);
      for (const [code, count] of world.failures) seen.set(code, (seen.get(code) ?? 0) + count);
      seen.set("waited", (seen.get("waited") ?? 0) + world.waited);
    }),
    { numRuns: 400 },
  );
  // The sequences are of use only while they get everywhere.
  for (const what of [
    "waited",
    "line_full",
    "wait_expired",
    "client_gone",
    "model_not_found",
    "shutting_down",
  ]) {
    assert.ok((seen.get(what) ?? 0) > 10, `${what} was seen ${seen.get(what)} times`);
  }
});
