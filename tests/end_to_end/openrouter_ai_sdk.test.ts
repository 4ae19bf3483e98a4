import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { createOpenRouter, type OpenRouterChatSettings } from "@openrouter/ai-sdk-provider";
import { APICallError, generateText, streamText } from "ai";
import { ProviderFleet } from "../support/provider_fleet.ts";

/** OpenRouter's provider for the AI SDK, pointed at a relay. */
const MODEL = "acme/small";
const prompt = "Who are you?";

describe("@openrouter/ai-sdk-provider", () => {
  let fleet: ProviderFleet;
  before(async () => {
    fleet = await ProviderFleet.start(MODEL);
  });
  after(() => fleet?.[Symbol.asyncDispose]());
  beforeEach(() => {
    for (const backend of Object.values(fleet.backends)) backend.failsWith = undefined;
  });

  const chat = (settings: OpenRouterChatSettings = {}, model = MODEL) =>
    createOpenRouter({ apiKey: "none", baseURL: fleet.url }).chat(model, settings);
  const ask = (settings?: OpenRouterChatSettings, model?: string) =>
    generateText({ model: chat(settings, model), prompt, maxRetries: 0 });

  test("a chat, whole", async () => {
    const { text, usage } = await ask();
    assert.match(text, /^said by (home|lab)$/);
    assert.equal(usage.outputTokens, 3);
  });

  test("a chat, streamed", async () => {
    const { textStream } = streamText({ model: chat({ provider: { only: ["home"] } }), prompt });
    const pieces: string[] = [];
    for await (const piece of textStream) pieces.push(piece);
    assert.deepEqual(pieces, ["said ", "by ", "home"]);
  });

  const obeyed: [OpenRouterChatSettings["provider"] & object, served: string][] = [
    [{ only: ["lab"] }, "lab"],
    [{ ignore: ["lab"] }, "home"],
    [{ order: ["lab"], allow_fallbacks: false }, "lab"],
    [{ sort: "price" }, "home"],
    [{ max_price: { prompt: 1 } }, "home"],
    [{ quantizations: ["fp16"] }, "lab"],
    [{ data_collection: "deny" }, "home"],
    [{ zdr: true, require_parameters: true }, "home"],
  ];
  for (const [provider, served] of obeyed) {
    test(`provider: ${JSON.stringify(provider)}`, async () => {
      for (let turn = 0; turn < 3; turn++) {
        assert.equal((await ask({ provider })).text, `said by ${served}`);
      }
    });
  }

  test("a preference can come with the call", async () => {
    const providerOptions = { openrouter: { provider: { only: ["lab"] } } };
    const { text } = await generateText({ model: chat(), prompt, providerOptions, maxRetries: 0 });
    assert.equal(text, "said by lab");
  });

  test("a provider that fails is followed by the next in `order`", async () => {
    fleet.backends.lab.failsWith = 429;
    assert.equal((await ask({ provider: { order: ["lab"] } })).text, "said by home");
  });

  test("a preference that leaves nobody is an APICallError with OpenRouter's metadata", async () => {
    const error = await ask({ provider: { only: ["nobody"] } }).then(
      () => assert.fail("wanted an error"),
      (thrown: unknown) => thrown,
    );
    assert.ok(APICallError.isInstance(error), String(error));
    const { metadata } = (error.data as { error: { metadata: Record<string, unknown> } }).error;
    assert.deepEqual([error.statusCode, error.isRetryable], [404, false]);
    assert.equal(metadata.failed_routing_step, "Filter by Allowed Providers");
    assert.deepEqual(metadata.requested_providers, ["nobody"]);
  });

  test("a model that nobody serves is an APICallError that says so", async () => {
    await assert.rejects(ask({}, "acme/none"), (error) => {
      assert.ok(APICallError.isInstance(error), String(error));
      assert.match(error.message, /acme\/none/);
      return error.statusCode === 404;
    });
  });
});
