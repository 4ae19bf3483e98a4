import assert from "node:assert/strict";
import { test } from "node:test";
import { decide } from "../../../server/routing/decide.ts";
import { fleetOf, request } from "./fleet_builder.ts";

test("decide() counts who is left after each rule", () => {
  const fleet = fleetOf([
    { draining: true },
    { healthy: false },
    { draining: true, healthy: false },
    { endpointPrefixes: ["/api"] },
    { models: ["n"] },
    { models: ["*"] },
    { capabilities: ["method"], provider: "home" },
    { capabilities: ["method"], inFlight: 1 },
    { capabilities: ["method"], provider: "lab", labels: { zdr: true, price: { prompt: 2 } } },
    ...["home", "lab", "lab/4090", "lab/4090"].map((provider) => ({
      capabilities: ["method"] as const,
      provider,
      labels: { zdr: true },
    })),
  ]);
  const preferences = {
    only: ["home", "lab"],
    ignore: ["home"],
    zdr: true,
    maxPrice: { prompt: 1 },
    order: ["lab/4090"],
    allowFallbacks: false,
  };
  const { funnel } = decide(request({ needs: ["method"], preferences, excluded: ["worker-13"] }), fleet);
  assert.deepEqual(
    funnel.map(({ rule, left }) => `${rule} ${left}`),
    [
      "connected 13",
      "not_draining 11",
      "healthy 10",
      "endpoint_prefix 9",
      "model 8",
      "capability 7",
      "only 6",
      "ignore 4",
      "require_parameters 4",
      "data_collection 4",
      "zdr 4",
      "enforce_distillable_text 4",
      "quantizations 4",
      "max_price 3",
      "fallbacks 2",
      "not_tried 1",
    ],
  );
});

test("decide() says what put each candidate behind the one before", () => {
  const fleet = fleetOf([
    { maxConcurrent: 2, inFlight: 1 },
    { lastTurn: 1 },
    { lastTurn: 2 },
    { models: ["*"], inFlight: 1 },
  ]);
  const decision = decide(request(), fleet);
  assert.equal(decision.type, "dispatch");
  assert.deepEqual(
    decision.type === "dispatch" &&
      decision.candidates.map((one) => [one.worker.joinedAt, one.behindBy, one.exact, one.free]),
    [
      [2, undefined, true, true],
      [3, "rotation", true, true],
      [1, "load", true, true],
      [4, "free_slot", false, false],
    ],
  );
});
