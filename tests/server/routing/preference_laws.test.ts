import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decide } from "../../../server/routing/decide.ts";
import { explain } from "../../../server/routing/explain.ts";
import { namesProvider } from "../../../server/routing/provider_name.ts";
import type { Preferences } from "../../../server/routing/types.ts";
import { LiveWorkerIndex } from "../../../server/routing/worker_index.ts";
import { fleetOf, request } from "./fleet_builder.ts";
import { PROVIDERS, preferences, type Situation, situations } from "./random_situations.ts";

const runs = { numRuns: 1_000 };
const names = fc.uniqueArray(fc.constantFrom(...PROVIDERS), { minLength: 1, maxLength: 3 });

/** All candidates of a situation with these preferences, as `worker-1 m`. */
function candidates({ request: facts, present, absent, known }: Situation, changed?: Preferences): string[] {
  const asked = request({ ...facts, ...(changed && { preferences: changed }) });
  return explain(asked, fleetOf(present, absent, known)).candidates.map(
    ({ worker, model }) => `${worker.id} ${model}`,
  );
}

test("a rejected worker is never a candidate, and whoever is no candidate is rejected", () => {
  let rejected = 0;
  fc.assert(
    fc.property(situations, ({ request: facts, present, absent, known }) => {
      const { candidates, rejections, decision } = explain(request(facts), fleetOf(present, absent, known));
      const could = new Set(candidates.map(({ worker }) => worker.joinedAt));
      const fell = rejections.map(({ worker }) => worker.joinedAt);
      const all = [...could, ...fell].sort((a, b) => a - b);
      assert.deepEqual(
        all,
        [...present.keys()].map((at) => at + 1),
      );
      for (const { rule, detail } of rejections)
        assert.ok(rule && detail && !/undefined|NaN/.test(detail), detail);
      for (const { reason } of candidates) assert.ok(reason && !/undefined|NaN/.test(reason), reason);
      if (decision.type !== "refuse")
        for (const { worker } of decision.candidates) assert.ok(could.has(worker.joinedAt));
      rejected += fell.length;
    }),
    runs,
  );
  assert.ok(rejected > 100);
});

/**
 * `allow_fallbacks: false` without `order` leaves the provider that is the best of those that the filters leave: there
 * a filter may bring another one to the top.
 */
const keepsTheBest = ({ allowFallbacks, order }: Preferences) => allowFallbacks === false && !order;

test("adding a filter never adds a candidate", () => {
  let taken = 0;
  const filters = fc.record(
    {
      only: names,
      ignore: names,
      requireParameters: fc.constant(true),
      dataCollection: fc.constant("deny" as const),
      zdr: fc.constant(true),
      distillableText: fc.constant(true),
      quantizations: fc.constant(["int4"]),
      maxPrice: fc.constant({ prompt: 0 }),
    },
    { requiredKeys: [] },
  ) as fc.Arbitrary<Preferences>;
  fc.assert(
    fc.property(situations, preferences, filters, (situation, before, added) => {
      fc.pre(!keepsTheBest(before));
      // What replaces a list is narrower than none, not than another list.
      const fresh = Object.fromEntries(Object.entries(added).filter(([key]) => !(key in before)));
      const without = candidates(situation, before);
      const left = candidates(situation, { ...before, ...fresh });
      assert.deepEqual(
        left,
        without.filter((one) => left.includes(one)),
      );
      taken += without.length - left.length;
    }),
    runs,
  );
  assert.ok(taken > 100);
});

test("`ignore` always wins", () => {
  fc.assert(
    fc.property(situations, preferences, names, (situation, before, ignore) => {
      const { request: facts, present, absent, known } = situation;
      for (const beaten of [{}, { only: ignore }, { order: ignore }, { only: ignore, order: ignore }]) {
        const asked = request({ ...facts, preferences: { ...before, ...beaten, ignore } });
        for (const { worker } of explain(asked, fleetOf(present, absent, known)).candidates)
          assert.ok(!ignore.some((name) => namesProvider(name, worker.provider)));
      }
    }),
    runs,
  );
});

test("what asks for an order changes no candidate, but where fallbacks are not allowed", () => {
  const orders = fc.record(
    {
      order: names,
      sort: fc.constantFrom("price", "throughput", "latency", "load", "exacto"),
      partition: fc.constantFrom("none", "model"),
      minThroughput: fc.constant({ p50: 2 }),
      maxLatency: fc.constant({ p90: 2 }),
    },
    { requiredKeys: [] },
  ) as fc.Arbitrary<Preferences>;
  fc.assert(
    fc.property(situations, preferences, orders, (situation, { allowFallbacks: _, ...before }, added) => {
      const { order, sort, partition, minThroughput, maxLatency, ...filters } = before;
      assert.deepEqual(
        candidates(situation, { ...filters, ...added }).sort(),
        candidates(situation, filters).sort(),
      );
    }),
    runs,
  );
});

test("without fallbacks all candidates are of one provider, or of `order`", () => {
  fc.assert(
    fc.property(situations, preferences, (situation, before) => {
      const { request: facts, present, absent, known } = situation;
      const asked = request({ ...facts, preferences: { ...before, allowFallbacks: false } });
      const { candidates } = explain(asked, fleetOf(present, absent, known));
      const providers = new Set(candidates.map(({ worker }) => worker.provider));
      if (!before.order) assert.ok(providers.size <= 1);
      else for (const one of providers) assert.ok(before.order.some((name) => namesProvider(name, one)));
    }),
    runs,
  );
});

test("the funnel begins with the fleet, never grows, and ends with the candidates", () => {
  fc.assert(
    fc.property(situations, ({ request: facts, present, absent, known }) => {
      const { decision, candidates } = explain(request(facts), fleetOf(present, absent, known));
      const left = decision.funnel.map((step) => step.left);
      assert.equal(left[0], present.length);
      for (let at = 1; at < left.length; at++) assert.ok(left[at]! <= left[at - 1]!, left.join(" "));
      assert.equal(left.at(-1), new Set(candidates.map(({ worker }) => worker)).size);
      if (decision.type === "refuse") assert.equal(left.at(-1), 0);
    }),
    runs,
  );
});

test("the same gives the same, nothing is changed, and in which order the fleet joined the index does not matter", () => {
  fc.assert(
    fc.property(situations, ({ request: facts, present, absent, known }) => {
      const fleet = fleetOf(present, absent, known);
      const asked = request(facts);
      const before = structuredClone([asked, ...fleet.present.workers, ...fleet.absent.workers]);
      const first = decide(asked, fleet);
      assert.deepEqual(decide(asked, fleet), first);
      assert.deepEqual([asked, ...fleet.present.workers, ...fleet.absent.workers], before);
      const reversed = new LiveWorkerIndex();
      for (const worker of [...fleet.present.workers].reverse()) reversed.add(worker);
      assert.deepEqual(decide(asked, { ...fleet, present: reversed }), first);
    }),
    runs,
  );
});
