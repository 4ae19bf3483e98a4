import assert from "node:assert/strict";
import { test } from "node:test";
import { OpenRouterMetadata$inboundSchema } from "@openrouter/sdk/models";
import { openrouterMetadata } from "../../../server/relay/openrouter_metadata.ts";
import { decide } from "../../../server/routing/decide.ts";
import { fleetOf, type RequestFacts, request } from "../routing/fleet_builder.ts";

const FLEET = fleetOf([
  { provider: "home/4090" },
  { provider: "lab", inFlight: 1 },
  { provider: "home", models: ["n"] },
]);

function metadataOf(facts: RequestFacts, first: { candidates?: [] } = {}) {
  const asked = request(facts);
  const decision = decide(asked, FLEET);
  assert.ok(decision.type === "dispatch");
  const served = decision.candidates[0]!;
  const { model = "" } = served;
  return openrouterMetadata({
    requested: asked.model,
    fallback: asked.models !== undefined,
    decision: { ...decision, ...first },
    served,
    attempts: [
      { provider: "lab", model, status: 502 },
      { provider: served.worker.provider, model, status: 200 },
    ],
    generationMs: 12.6,
  });
}

test("a decision, in OpenRouter's words", () => {
  assert.deepEqual(metadataOf({}), {
    requested: "m",
    strategy: "direct",
    region: null,
    summary: "available=2, attempts=2, selected=home/4090",
    attempt: 2,
    is_byok: false,
    endpoints: {
      total: 2,
      available: [
        { provider: "home/4090", model: "m", selected: true },
        { provider: "lab", model: "m", selected: false },
      ],
    },
    attempts: [
      { provider: "lab", model: "m", status: 502 },
      { provider: "home/4090", model: "m", status: 200 },
    ],
    generation_time: 13,
  });
});

test("`total` counts who serves the model, `available` who is left by the preferences", () => {
  const { endpoints } = metadataOf({ preferences: { only: ["home"] } });
  assert.deepEqual([endpoints.total, endpoints.available.length], [2, 1]);
});

test("who answered stands in it, also when the first decision did not know it", () => {
  const { endpoints } = metadataOf({}, { candidates: [] });
  assert.deepEqual(endpoints.available, [{ provider: "home/4090", model: "m", selected: true }]);
});

test("OpenRouter's own client takes it, also for a request without a model and with several", () => {
  for (const facts of [{}, { model: undefined }, { models: ["n"] }]) {
    const metadata = metadataOf(facts);
    const taken = OpenRouterMetadata$inboundSchema.parse(JSON.parse(JSON.stringify(metadata)));
    assert.deepEqual(
      [taken.requested, taken.endpoints, taken.attempts, taken.isByok, taken.generationTime],
      [metadata.requested, metadata.endpoints, metadata.attempts, false, 13],
    );
  }
  assert.equal(metadataOf({ models: ["n"] }).strategy, "fallback");
});
