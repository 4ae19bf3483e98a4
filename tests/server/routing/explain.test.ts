import assert from "node:assert/strict";
import { test } from "node:test";
import { explain } from "../../../server/routing/explain.ts";
import { nearestModels } from "../../../server/routing/nearest_models.ts";
import { refusal } from "../../../server/routing/refusal.ts";
import { fleetOf, type RequestFacts, request, type WorkerFacts } from "./fleet_builder.ts";

const rejections: { worker: WorkerFacts; request?: RequestFacts; says: string }[] = [
  { worker: { draining: true }, says: "not_draining: it is leaving and takes no new requests" },
  { worker: { healthy: false }, says: "healthy: its backend does not answer" },
  {
    worker: { endpointPrefixes: ["/api", "/v2"] },
    says: "endpoint_prefix: wanted /v1/chat/completions, it serves /api, /v2",
  },
  { worker: { models: ["n", "o"] }, says: 'model: wanted "m", it serves n, o' },
  { worker: { models: [] }, says: 'model: wanted "m", it serves none' },
  {
    worker: { linkForm: "plain" },
    request: { needs: ["binary"] },
    says: 'capability: wanted "binary", its plain link has it not',
  },
  { worker: {}, request: { excluded: ["worker-1"] }, says: "not_tried: it had this request and failed" },
];

for (const { worker, request: facts, says } of rejections) {
  test(`explain() says of a rejected worker: ${says}`, () => {
    const { rejections } = explain(request(facts), fleetOf([worker]));
    assert.deepEqual(
      rejections.map(({ rule, detail }) => `${rule}: ${detail}`),
      [says],
    );
  });
}

test("explain() lists candidates beyond those that a decision names", () => {
  const { candidates } = explain(request(), fleetOf(Array.from({ length: 7 }, () => ({}))));
  assert.equal(candidates.length, 7);
});

test("explain() tells who is waited for from who would not help", () => {
  const { absent } = explain(request(), fleetOf([], [{}, { models: ["n"] }]));
  assert.deepEqual(
    absent.map(({ rule }) => rule),
    ["connected", "model"],
  );
});

test("refusal() names the nearest models and what left nobody", () => {
  const fleet = fleetOf([
    { models: ["llama-3.1-8b", "qwen3:14b"] },
    { models: ["llama-3.1-70b"], provider: "lab" },
  ]);
  const { decision } = explain(request({ model: "Llama3.1-8b" }), fleet);
  assert.ok(decision.type === "refuse");
  const failure = refusal(decision, request({ model: "Llama3.1-8b" }), fleet);
  assert.equal(failure.code, "model_not_found");
  assert.match(failure.message, /"Llama3\.1-8b", the nearest are "llama-3\.1-8b", "llama-3\.1-70b"$/);
  assert.deepEqual(failure.options.metadata?.available_providers, ["local", "lab"]);
  assert.equal(failure.options.metadata?.failed_rule, "model");
});

test("nearestModels() names nothing when nothing is near", () => {
  assert.deepEqual(nearestModels("gpt-5", ["*", "llama3", "qwen"]), []);
  assert.deepEqual(nearestModels("", ["llama3", ""]), []);
});
