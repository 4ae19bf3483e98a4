import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { OpenRouter } from "@openrouter/sdk";
import type { ChatRequest, ProviderPreferences } from "@openrouter/sdk/models";
import { NotFoundResponseError, OpenRouterError } from "@openrouter/sdk/models/errors";
import { ProviderFleet } from "../support/provider_fleet.ts";

/** OpenRouter's own client, pointed at a relay. */
const MODEL = "acme/small";
const messages: ChatRequest["messages"] = [{ role: "user", content: "Who are you?" }];

describe("@openrouter/sdk", () => {
  let fleet: ProviderFleet;
  let client: OpenRouter;
  before(async () => {
    fleet = await ProviderFleet.start(MODEL);
    client = new OpenRouter({ apiKey: "none", serverURL: fleet.url, retryConfig: { strategy: "none" } });
  });
  after(() => fleet?.[Symbol.asyncDispose]());
  beforeEach(() => {
    for (const backend of Object.values(fleet.backends)) {
      backend.bodies.length = 0;
      backend.failsWith = undefined;
    }
  });

  const ask = async (request: Partial<ChatRequest> = {}) => {
    const chatRequest = { model: MODEL, messages, ...request, stream: false as const };
    const answer = await client.chat.send({ chatRequest });
    assert.ok("choices" in answer);
    return { text: answer.choices[0]!.message.content, model: answer.model };
  };
  const failure = async (request: Partial<ChatRequest>): Promise<unknown> =>
    ask(request).then(
      (answer) => assert.fail(`wanted an error, found ${JSON.stringify(answer)}`),
      (thrown: unknown) => thrown,
    );

  test("a chat, whole", async () => {
    assert.match(String((await ask()).text), /^said by (home|lab)$/);
  });

  test("a chat, streamed", async () => {
    const stream = await client.chat.send({
      chatRequest: { model: MODEL, messages, stream: true, provider: { only: ["lab"] } },
    });
    assert.ok(Symbol.asyncIterator in stream);
    const pieces: string[] = [];
    let tokens = 0;
    for await (const { choices, usage } of stream) {
      pieces.push(choices[0]?.delta.content ?? "");
      tokens = usage?.completionTokens ?? tokens;
    }
    assert.deepEqual([pieces, tokens], [["said ", "by ", "lab", ""], 3]);
  });

  /** Each as its type has it, with what it leaves: where both are left, home is the cheaper one. */
  const obeyed: [provider: ProviderPreferences, served: "home" | "lab", request?: Partial<ChatRequest>][] = [
    [{ only: ["lab"] }, "lab"],
    [{ only: ["lab/a100"] }, "lab"],
    [{ ignore: ["home"] }, "lab"],
    [{ ignore: ["lab"] }, "home"],
    [{ order: ["lab", "home"] }, "lab"],
    [{ order: ["nobody", "lab"], allowFallbacks: false }, "lab"],
    [{ sort: "price" }, "home"],
    [{ sort: { by: "price", partition: "none" } }, "home"],
    [{ maxPrice: { prompt: "1" } }, "home"],
    [{ maxPrice: { completion: "0.5" } }, "home"],
    [{ quantizations: ["fp16", "bf16"] }, "lab"],
    [{ quantizations: ["int8"] }, "home"],
    [{ dataCollection: "deny" }, "home"],
    [{ zdr: true }, "home"],
    [{ enforceDistillableText: true }, "home"],
    [{ requireParameters: true }, "lab", { topK: 4 }],
    [{ preferredMinThroughput: { p50: 1e9 }, preferredMaxLatency: 1e-9, order: ["lab"] }, "lab"],
    [{ only: null, ignore: null, sort: null, quantizations: null, zdr: null, order: ["lab"] }, "lab"],
  ];
  for (const [provider, served, request] of obeyed) {
    test(`provider: ${JSON.stringify(provider)}`, async () => {
      for (let turn = 0; turn < 3; turn++) {
        assert.equal((await ask({ provider, ...request })).text, `said by ${served}`);
      }
    });
  }

  test("`provider` travels under OpenRouter's names and stays in the body", async () => {
    await ask({
      provider: {
        only: ["lab"],
        allowFallbacks: false,
        dataCollection: "allow",
        maxPrice: { prompt: "3" },
        preferredMaxLatency: 2,
      },
    });
    assert.deepEqual(fleet.backends.lab.bodies[0]?.provider, {
      only: ["lab"],
      allow_fallbacks: false,
      data_collection: "allow",
      max_price: { prompt: "3" },
      preferred_max_latency: 2,
    });
  });

  test("a provider that fails is followed by the next in `order`, unless that is not allowed", async () => {
    fleet.backends.lab.failsWith = 503;
    assert.equal((await ask({ provider: { order: ["lab", "home"] } })).text, "said by home");
    const alone = await failure({ provider: { order: ["lab"], allowFallbacks: false } });
    assert.ok(alone instanceof OpenRouterError);
    assert.deepEqual([alone.statusCode, alone.message], [503, "lab fails"]);
  });

  test("`models` are tried in order, and the body names the one that serves", async () => {
    const { text, model } = await ask({ model: "acme/none", models: [MODEL], provider: { only: ["home"] } });
    assert.deepEqual([text, model], ["said by home", MODEL]);
  });

  test("a shorthand behind the model is a `sort`", async () => {
    assert.equal((await ask({ model: `${MODEL}:floor` })).text, "said by home");
  });

  test("a preference that leaves nobody is a NotFoundResponseError that says how", async () => {
    const error = await failure({ provider: { only: ["nobody"] } });
    assert.ok(error instanceof NotFoundResponseError, String(error));
    const { code, metadata = {} } = error.error;
    assert.equal(code, 404);
    const { routing_funnel: funnel, available_providers: available, ...rest } = metadata ?? {};
    assert.deepEqual(rest, {
      failed_rule: "only",
      failed_routing_step: "Filter by Allowed Providers",
      requested_providers: ["nobody"],
      error_type: "not_found",
      code: "no_eligible_worker",
    });
    assert.deepEqual(available.toSorted(), ["home", "lab/a100"]);
    assert.deepEqual(funnel[0], { rule: "connected", left: 2, step: "Initial Endpoints", endpoint_count: 2 });
    assert.equal(funnel.at(-1).endpoint_count, 0);
  });

  test("a model that nobody serves is a NotFoundResponseError that names the nearest", async () => {
    const error = await failure({ model: "acme/smal" });
    assert.ok(error instanceof NotFoundResponseError, String(error));
    assert.match(error.message, /"acme\/smal".*"acme\/small"/);
    assert.deepEqual(
      [error.error.metadata?.failed_rule, error.error.metadata?.code],
      ["model", "model_not_found"],
    );
  });

  test("a preference of the wrong type is refused with its name", async () => {
    const wrong = { only: "lab" } as never;
    const answer = await fetch(`${fleet.url}/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-openrouter-title": "App" },
      body: JSON.stringify({ model: MODEL, messages, provider: wrong }),
    });
    const { error } = (await answer.json()) as { error: { code: number; message: string } };
    assert.deepEqual([answer.status, error.code], [400, 400]);
    assert.match(error.message, /only/);
  });
});
