import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decide } from "../../../server/routing/decide.ts";
import { Judge, RULES } from "../../../server/routing/eligible.ts";
import { explain } from "../../../server/routing/explain.ts";
import { routeKey } from "../../../server/routing/route_key.ts";
import { wantedOf } from "../../../server/routing/wanted.ts";
import { fleetOf, request } from "./fleet_builder.ts";

const CAPABILITIES = ["method", "binary", "upgrade"] as const;
const workerFacts = fc.record({
  models: fc.uniqueArray(fc.constantFrom("m", "n", "*")),
  endpointPrefixes: fc.constantFrom([], ["/"], ["/v1"], ["/api", "/v1/chat"], ["/api"], ["/v*"]),
  maxConcurrent: fc.integer({ min: 1, max: 3 }),
  inFlight: fc.integer({ min: 0, max: 3 }),
  reportedLoad: fc.integer({ min: 0, max: 3 }),
  draining: fc.boolean(),
  healthy: fc.boolean(),
  capabilities: fc.uniqueArray(fc.constantFrom(...CAPABILITIES)),
  lastTurn: fc.integer({ min: 0, max: 3 }),
});
const requestFacts = fc.record({
  path: fc.constantFrom("/v1/chat", "/v1", "/api/tags", "/other", "/v1beta"),
  model: fc.constantFrom("m", "n", "unheard", "*", undefined),
  needs: fc.uniqueArray(fc.constantFrom(...CAPABILITIES), { maxLength: 1 }),
  excluded: fc.uniqueArray(fc.constantFrom("worker-1", "worker-2", "worker-3")),
});
const situation = fc.tuple(
  requestFacts,
  fc.array(workerFacts, { maxLength: 12 }),
  fc
    .array(workerFacts, { maxLength: 3 })
    .map((gone) => gone.map((one) => ({ ...one, draining: false, healthy: true }))),
);
const runs = { numRuns: 1_000 };

test("decide() and explain() agree, and every connected worker is a candidate or rejected, never both", () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(situation, ([facts, present, absent]) => {
      const fleet = fleetOf(present, absent);
      const { decision, candidates, rejections } = explain(request(facts), fleet);
      seen.add(decision.type);
      const listed = [...candidates, ...rejections]
        .map(({ worker }) => worker.joinedAt)
        .sort((a, b) => a - b);
      assert.deepEqual(
        listed,
        present.map((_, at) => at + 1),
      );
      const chosen = decision.type === "refuse" ? [] : decision.candidates;
      assert.deepEqual(
        chosen,
        candidates.slice(0, chosen.length).map(({ reason: _, ...candidate }) => candidate),
      );
      assert.equal(chosen.length, Math.min(4, candidates.length));
    }),
    runs,
  );
  assert.deepEqual([...seen].sort(), ["dispatch", "refuse", "wait"]);
});

test("decide() dispatches exactly when an eligible worker has a free slot", () => {
  fc.assert(
    fc.property(situation, ([facts, present, absent]) => {
      const { decision, candidates } = explain(request(facts), fleetOf(present, absent));
      assert.equal(
        decision.type === "dispatch",
        candidates.some(({ free }) => free),
      );
      if (decision.type === "dispatch") assert.ok(decision.candidates[0]!.free);
    }),
    runs,
  );
});

test("decide() keeps a funnel that is what looking at each worker counts", () => {
  fc.assert(
    fc.property(situation, ([facts, present, absent]) => {
      const fleet = fleetOf(present, absent);
      const { funnel } = decide(request(facts), fleet);
      const judge = new Judge(wantedOf(request(facts), fleet));
      const failed = [...fleet.present.workers].map((one) => judge.furthest(one));
      assert.deepEqual(
        funnel,
        RULES.map(({ name }, at) => ({ rule: name, left: failed.filter((rule) => rule > at).length })),
      );
    }),
    runs,
  );
});

test("decide() refuses exactly when nobody, were they all there and well, could serve", () => {
  fc.assert(
    fc.property(situation, ([facts, present, absent]) => {
      const everybody = [...present, ...absent].map((one) => ({
        ...one,
        draining: false,
        healthy: true,
        inFlight: 0,
      }));
      const able = explain(request(facts), fleetOf(everybody)).candidates.filter(
        // Who is absent comes back under another id.
        ({ worker }) => worker.joinedAt <= present.length,
      );
      const returning = explain(request({ ...facts, excluded: [] }), fleetOf(absent)).candidates;
      const decision = decide(request(facts), fleetOf(present, absent));
      assert.equal(decision.type === "refuse", able.length + returning.length === 0);
    }),
    runs,
  );
});

test("decide() gives the same for the same, changes nothing, and does not depend on the order of the fleet", () => {
  fc.assert(
    fc.property(situation, ([facts, present]) => {
      const fleet = fleetOf(present);
      const before = structuredClone([...fleet.present.workers]);
      const first = decide(request(facts), fleet);
      assert.deepEqual(decide(request(facts), fleet), first);
      assert.deepEqual([...fleet.present.workers], before);
      const shuffled = fleetOf([]);
      for (const worker of [...fleet.present.workers].reverse())
        (shuffled.present as typeof shuffled.present & { add(one: typeof worker): void }).add(worker);
      assert.deepEqual(decide(request(facts), shuffled), first);
    }),
    runs,
  );
});

test("routeKey() is the same only for requests that are decided alike", () => {
  const keys = new Map<string, ReturnType<typeof request>>();
  fc.assert(
    fc.property(requestFacts, fc.array(workerFacts, { maxLength: 4 }), (facts, present) => {
      const asked = request(facts);
      const alike = keys.get(routeKey(asked)) ?? asked;
      keys.set(routeKey(asked), asked);
      assert.deepEqual(decide(alike, fleetOf(present)), decide(asked, fleetOf(present)));
    }),
    runs,
  );
  assert.ok(keys.size > 20);
});
