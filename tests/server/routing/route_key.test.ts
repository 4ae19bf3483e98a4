import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decide } from "../../../server/routing/decide.ts";
import { routeKey } from "../../../server/routing/route_key.ts";
import type { RouteRequest } from "../../../server/routing/types.ts";
import { fleetOf, type RequestFacts, request } from "./fleet_builder.ts";
import { preferences, situations } from "./random_situations.ts";

const base: RequestFacts = { path: "/v1/chat", model: "m" };
/** Each changes one thing that a rule or an order looks at. */
const changes: Required<Pick<RouteRequest, "preferences">>["preferences"][] = [
  { only: ["a"] },
  { only: ["a,b"] },
  { only: ["a", "b"] },
  { ignore: ["a"] },
  { order: ["a"] },
  { order: ["a", "b"] },
  { order: ["b", "a"] },
  { allowFallbacks: false },
  { sort: "price" },
  { sort: "load" },
  { partition: "none" },
  { requireParameters: true },
  { dataCollection: "deny" },
  { zdr: true },
  { distillableText: true },
  { quantizations: ["int4"] },
  { maxPrice: { prompt: 1 } },
  { maxPrice: { completion: 1 } },
  { minThroughput: { p50: 1 } },
  { maxLatency: { p50: 1 } },
  { maxLatency: { p90: 1 } },
];
const others: RequestFacts[] = [
  {},
  { path: "/v1/chat/" },
  { model: "n" },
  { model: undefined },
  { model: "null" },
  { models: ["n"] },
  { models: ["n", "o"] },
  { models: ["o", "n"] },
  { needs: ["method"] },
  { needs: ["binary"] },
  { needs: ["method", "binary"] },
  { excluded: ["worker-1"] },
  { excluded: ["worker-1 m"] },
  { excluded: ["worker-1", "worker-2"] },
  { parameters: ["tools"] },
  { session: "s" },
  { session: "" },
  { keptIds: ["s"] },
  { heldTo: "s" },
  ...changes.map((change) => ({ preferences: change })),
];

test("routeKey() differs when any field differs that decides", () => {
  const keys = new Map<string, RequestFacts>();
  for (const facts of others) {
    const key = routeKey(request({ ...base, ...facts }));
    assert.ok(!keys.has(key), `${JSON.stringify(facts)} has the key of ${JSON.stringify(keys.get(key))}`);
    keys.set(key, facts);
  }
  assert.equal(keys.size, others.length);
});

test("routeKey() is the same whatever does not decide, or stands in another order", () => {
  const key = routeKey(request({ ...base, needs: ["binary", "method"], excluded: ["a", "b"] }));
  assert.equal(routeKey(request({ ...base, needs: ["method", "binary"], excluded: ["b", "a"] })), key);
  assert.equal(
    routeKey(
      request({ ...base, needs: ["method", "binary"], excluded: ["b", "a"], method: "GET", streaming: true }),
    ),
    key,
  );
  const { excluded: _, ...untried } = request(base);
  assert.equal(routeKey(untried), routeKey(request(base)));
});

test("routeKey() of two requests that are decided differently differs", () => {
  let different = 0;
  const change = fc.oneof(
    situations.map(({ request }) => request),
    preferences.map((preferences) => ({ preferences })),
    fc.constantFrom(...others),
  );
  fc.assert(
    fc.property(situations, change, ({ request: facts, present, absent, known }, changed) => {
      const fleet = fleetOf(present, absent, known);
      const [one, other] = [request(facts), request({ ...facts, ...changed })];
      if (JSON.stringify(brief(one)) === JSON.stringify(brief(other))) return;
      different++;
      assert.notEqual(routeKey(one), routeKey(other));

      function brief(asked: RouteRequest) {
        const decision = decide(asked, fleet);
        const { type, funnel } = decision;
        if (type === "refuse") return [type, decision.code, funnel];
        return [type, funnel, decision.candidates.map(({ worker, model }) => [worker.id, model])];
      }
    }),
    { numRuns: 2_000 },
  );
  assert.ok(different > 500, `${different} pairs`);
});
