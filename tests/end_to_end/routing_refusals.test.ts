import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { endRelay, startRelay, workersWhen } from "../support/admin_view.ts";
import type { RelayProgram } from "../support/program.ts";
import { RoutingStand, says } from "../support/routing_stand.ts";

/** What a client is told when nobody may serve its request, in the words of its API: routing.md, 4. */

let relay: RelayProgram;

before(async () => {
  relay = await startRelay(["--max-worker-handshakes=1000"]);
});

after(async () => {
  await endRelay(relay);
});

const done = says(200, "done");

/** Three workers and nobody else: two of the model, one of another. */
async function threeWorkers() {
  await workersWhen(relay, (workers) => workers.length === 0);
  const stand = new RoutingStand(relay);
  const labels = { zdr: true, quantization: "q8_0", supported_parameters: ["seed"], price: { prompt: 2 } };
  await stand.worker("home/4090", done, { labels, endpoint_prefixes: ["/v1"] });
  await stand.worker("lab", done, { endpoint_prefixes: ["/v1", "/api"] });
  await stand.worker("attic", done, { models: ["zephyr-7b"], endpoint_prefixes: ["/v1"] });
  return stand;
}

interface Metadata {
  failed_rule: string;
  failed_routing_step: string;
  routing_funnel: { rule: string; left: number; step: string; endpoint_count: number }[];
  available_providers: string[];
  requested_providers?: string[];
}

test("each rule that leaves nobody is named, with how many were left after each", async () => {
  await using stand = await threeWorkers();
  const cases: [provider: object, rule: string, step: string, requested?: string[]][] = [
    [{ only: ["cloud"] }, "only", "Filter by Allowed Providers", ["cloud"]],
    [{ only: ["home/3090"] }, "only", "Filter by Allowed Providers", ["home/3090"]],
    [{ ignore: ["home", "lab"] }, "ignore", "Filter by Ignored Providers"],
    [{ only: ["home"], ignore: ["home/4090"] }, "ignore", "Filter by Ignored Providers", ["home"]],
    [{ require_parameters: true }, "require_parameters", "Filter by Parameters"],
    [{ data_collection: "deny" }, "data_collection", "Filter by Data Policy"],
    [{ zdr: true, only: ["lab"] }, "zdr", "Filter by Data Policy", ["lab"]],
    [{ enforce_distillable_text: true }, "enforce_distillable_text", "Filter by Distillable Text"],
    [{ quantizations: ["fp16"] }, "quantizations", "Filter by Quantization"],
    [{ max_price: { prompt: 1 }, zdr: true }, "max_price", "Filter by Max Price"],
    [{ order: ["cloud"], allow_fallbacks: false }, "fallbacks", "Filter by Fallback", ["cloud"]],
  ];
  for (const [provider, rule, step, requested] of cases) {
    const response = await stand.ask({ provider, temperature: 1 });
    const { message, metadata, ...rest } = JSON.parse(response.body).error as {
      message: string;
      metadata: Metadata;
    };
    assert.equal(response.status, 404);
    assert.deepEqual(rest, { type: "invalid_request_error", code: "no_eligible_worker", param: null });
    assert.equal(message, `No worker can serve this request: no worker passed "${rule}"`);
    const { routing_funnel: funnel, ...more } = metadata;
    assert.deepEqual(more, {
      failed_rule: rule,
      failed_routing_step: step,
      available_providers: ["home/4090", "lab"],
      ...(requested && { requested_providers: requested }),
    });
    const left = new Map(funnel.map((entry) => [entry.rule, entry.left]));
    assert.deepEqual([left.get("connected"), left.get("model"), left.get(rule)], [3, 2, 0]);
    const counts = funnel.map((entry) => entry.left);
    assert.deepEqual(
      counts,
      counts.toSorted((a, b) => b - a),
    );
    const failed = funnel.find((entry) => entry.left === 0)!;
    assert.deepEqual([failed.rule, failed.step, failed.endpoint_count], [rule, step, 0]);
  }
});

test("a path that nobody offers", async () => {
  await using stand = await threeWorkers();
  const response = await stand.ask({}, { path: "/elsewhere" });
  const { code, metadata } = JSON.parse(response.body).error;
  assert.deepEqual(
    [response.status, code, metadata.failed_rule],
    [404, "no_eligible_worker", "endpoint_prefix"],
  );
});

test("a model that nobody serves: the nearest names", async () => {
  await using stand = await threeWorkers();
  const ask = async (body: object) => {
    const response = await stand.ask(body);
    assert.equal(response.status, 404);
    return JSON.parse(response.body).error;
  };
  const { metadata, ...error } = await ask({ model: "zephir-7b" });
  assert.deepEqual(error, {
    message: 'No worker serves this model: "zephir-7b", the nearest are "zephyr-7b"',
    type: "invalid_request_error",
    code: "model_not_found",
    param: "model",
  });
  assert.deepEqual([metadata.failed_rule, metadata.failed_routing_step], ["model", "Filter by Model"]);
  assert.deepEqual(metadata.available_providers.toSorted(), ["attic", "home/4090", "lab"]);
  const { message } = await ask({ model: "qqqqqqqq", models: ["wwwwwwww:nitro"] });
  assert.equal(message, 'No worker serves this model: "qqqqqqqq" or "wwwwwwww:nitro"');
  const long = await ask({ model: "x".repeat(10_000) });
  assert.ok(long.message.length < 300, long.message);
});

test("each API is told in its own dialect", async () => {
  await using stand = await threeWorkers();
  const ask = async (path: string, headers: Record<string, string> = {}, model = stand.model) => {
    const response = await stand.ask({ model, provider: { only: ["cloud"] } }, { path, headers });
    assert.deepEqual([response.status, response.headers.get("content-type")], [404, "application/json"]);
    return { body: JSON.parse(response.body), id: response.headers.get("x-signalbox-request-id") };
  };
  const openai = (await ask("/v1/chat/completions")).body.error;
  const { message, code, metadata } = openai;
  assert.deepEqual(openai, { message, type: "invalid_request_error", code, param: null, metadata });
  assert.deepEqual([code, metadata.requested_providers], ["no_eligible_worker", ["cloud"]]);

  const anthropic = await ask("/v1/messages");
  assert.deepEqual(anthropic.body, {
    type: "error",
    error: { type: "not_found_error", message, code, metadata },
    request_id: anthropic.id,
  });

  const ollama = await ask("/api/chat");
  const { metadata: its, ...rest } = ollama.body;
  assert.deepEqual(rest, { error: message, code });
  assert.deepEqual([its.failed_rule, its.available_providers], ["only", ["home/4090", "lab"]]);

  const openrouter = await ask("/v1/chat/completions", { "x-openrouter-title": "tests" });
  const wanted = { ...metadata, error_type: "not_found", code };
  assert.deepEqual(openrouter.body, { error: { code: 404, message, metadata: wanted } });
  const missing = await ask("/v1/chat/completions", { "user-agent": "openrouter/sdk" }, "zephir-7b");
  assert.equal(missing.body.error.metadata.code, "model_not_found");
  assert.match(missing.body.error.message, /the nearest are "zephyr-7b"/);
});

test("HEAD is told by the status alone", async () => {
  await using stand = await threeWorkers();
  const headers = { "x-model": stand.model, "x-provider": "cloud", connection: "close" };
  const client = await stand.send("", { method: "HEAD", headers });
  await client.isClosed();
  assert.match(client.received, /^HTTP\/1\.1 404 .*\r\n\r\n$/s);
});
