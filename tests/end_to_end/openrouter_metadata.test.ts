import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { OpenRouter } from "@openrouter/sdk";
import type { ChatRequest, OpenRouterMetadata } from "@openrouter/sdk/models";
import { noLlama } from "../support/llama_backend.ts";
import { DETERMINISTIC, llamaStand, PATIENT } from "../support/llama_stand.ts";
import { ProviderFleet } from "../support/provider_fleet.ts";

/** `X-OpenRouter-Metadata`, as OpenRouter's own client asks for it and reads the answer. */
const MODEL = "acme/small";
const messages: ChatRequest["messages"] = [{ role: "user", content: "Who are you?" }];

describe("openrouter_metadata", () => {
  let fleet: ProviderFleet;
  let client: OpenRouter;
  before(async () => {
    fleet = await ProviderFleet.start(MODEL);
    client = new OpenRouter({ apiKey: "none", serverURL: fleet.url, retryConfig: { strategy: "none" } });
  });
  after(() => fleet?.[Symbol.asyncDispose]());
  beforeEach(() => {
    fleet.backends.lab.failsWith = undefined;
  });

  const servedByLab = (metadata: OpenRouterMetadata | undefined) => {
    assert.ok(metadata);
    const { generationTime, endpoints, attempts, ...rest } = metadata;
    assert.deepEqual(rest, {
      requested: MODEL,
      strategy: "direct",
      region: null,
      summary: "available=2, attempts=1, selected=lab/a100",
      attempt: 1,
      isByok: false,
    });
    assert.deepEqual(endpoints, {
      total: 2,
      available: [
        { provider: "lab/a100", model: MODEL, selected: true },
        { provider: "home", model: MODEL, selected: false },
      ],
    });
    assert.deepEqual(attempts, [{ provider: "lab/a100", model: MODEL, status: 200 }]);
    assert.ok(generationTime !== undefined && generationTime >= 0);
  };
  const provider = { order: ["lab"] };
  const chat = { model: MODEL, messages, provider };

  test("stands in a chat", async () => {
    const result = await client.chat.send({ xOpenRouterMetadata: "enabled", chatRequest: chat });
    assert.ok("choices" in result);
    assert.equal(result.choices[0]!.message.content, "said by lab");
    servedByLab(result.openrouterMetadata);
  });

  test("stands in the last event of a streamed chat", async () => {
    const chatRequest = { ...chat, stream: true as const };
    const stream = await client.chat.send({ xOpenRouterMetadata: "enabled", chatRequest });
    assert.ok(Symbol.asyncIterator in stream);
    const found: (OpenRouterMetadata | undefined)[] = [];
    for await (const chunk of stream) found.push(chunk.openrouterMetadata);
    assert.deepEqual(
      found.map((metadata) => metadata !== undefined),
      [false, false, false, true],
    );
    servedByLab(found.at(-1));
  });

  test("stands in a response", async () => {
    const responsesRequest = { model: MODEL, input: "Who?", provider };
    const result = await client.responses.send({ xOpenRouterMetadata: "enabled", responsesRequest });
    assert.ok("output" in result);
    servedByLab(result.openrouterMetadata);
  });

  test("stands in the last event of a streamed response", async () => {
    const responsesRequest = { model: MODEL, input: "Who?", provider, stream: true as const };
    const stream = await client.responses.send({ xOpenRouterMetadata: "enabled", responsesRequest });
    const found: [type: string, metadata: OpenRouterMetadata | undefined][] = [];
    for await (const event of stream as AsyncIterable<StreamEvent>) {
      found.push([event.type, event.response?.openrouterMetadata]);
    }
    assert.deepEqual(
      found.map(([type]) => type),
      ["response.created", "response.completed"],
    );
    assert.equal(found[0]![1], undefined);
    servedByLab(found[1]![1]);
  });

  test("counts the providers that failed before", async () => {
    fleet.backends.lab.failsWith = 503;
    const result = await client.chat.send({ xOpenRouterMetadata: "enabled", chatRequest: chat });
    assert.ok("choices" in result);
    const { attempt, attempts, endpoints } = result.openrouterMetadata!;
    assert.equal(attempt, 2);
    assert.deepEqual(attempts, [
      { provider: "lab/a100", model: MODEL, status: 503 },
      { provider: "home", model: MODEL, status: 200 },
    ]);
    assert.deepEqual(
      endpoints.available.map(({ selected }) => selected),
      [false, true],
    );
  });

  test("stands nowhere unless it is asked for, and the backend does not hear of it", async () => {
    const bodies = async (wish: string) => {
      const answer = await fetch(`${fleet.url}/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json", ...(wish && { "x-openrouter-metadata": wish }) },
        body: JSON.stringify(chat),
      });
      return await answer.text();
    };
    const plain = await bodies("");
    assert.equal(await bodies("disabled"), plain);
    const asked = await bodies("ENABLED");
    assert.equal(asked.replace(/,"openrouter_metadata":.*\}(?=\})/, ""), plain);
    assert.notEqual(asked, plain);
    assert.ok(fleet.backends.lab.heads.length > 0);
    assert.ok(fleet.backends.lab.heads.every((headers) => !("x-openrouter-metadata" in headers)));
  });
});

describe("openrouter_metadata in answers of llama.cpp", { skip: noLlama() }, () => {
  const stand = llamaStand();
  /** Its cache of prompts cannot be turned off here: each answer is asked for once before, to find it full. */
  const clientOf = (url: string) =>
    new OpenRouter({ apiKey: "none", serverURL: `${url}/v1`, retryConfig: { strategy: "none" } });
  const { temperature, seed } = DETERMINISTIC;
  const request = () => ({ model: stand.model, messages, temperature, seed, maxTokens: 16 });
  const wish = { xOpenRouterMetadata: "enabled" as const };

  test("a chat is the same but for it", PATIENT, async () => {
    const ask = async (url: string) => {
      const result = await clientOf(url).chat.send({ ...wish, chatRequest: request() });
      assert.ok("choices" in result);
      return result;
    };
    await ask(stand.llama.url);
    const wanted = await ask(stand.llama.url);
    const { choices, usage, openrouterMetadata } = await ask(stand.pair.url);
    assert.deepEqual([choices, usage?.completionTokens], [wanted.choices, wanted.usage?.completionTokens]);
    assert.equal(openrouterMetadata?.requested, stand.model);
  });

  test("a streamed chat is the same but for it, in its last event", PATIENT, async () => {
    const ask = async (url: string) => {
      const chatRequest = { ...request(), stream: true as const };
      const stream = await clientOf(url).chat.send({ ...wish, chatRequest });
      assert.ok(Symbol.asyncIterator in stream);
      const deltas: unknown[] = [];
      const metadata: unknown[] = [];
      for await (const { choices, openrouterMetadata } of stream) {
        deltas.push(choices);
        metadata.push(openrouterMetadata?.requested);
      }
      return { deltas, metadata };
    };
    await ask(stand.llama.url);
    const wanted = await ask(stand.llama.url);
    assert.ok(wanted.deltas.length > 4);
    const { deltas, metadata } = await ask(stand.pair.url);
    assert.deepEqual(deltas, wanted.deltas);
    assert.deepEqual(metadata, [...wanted.metadata.slice(1), stand.model]);
  });
});

interface StreamEvent {
  readonly type: string;
  readonly response?: { readonly openrouterMetadata?: OpenRouterMetadata };
}
