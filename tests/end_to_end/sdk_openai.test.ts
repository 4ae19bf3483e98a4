import assert from "node:assert/strict";
import { describe, test } from "node:test";
import OpenAI, { NotFoundError } from "openai";
import { noLlama } from "../support/llama_backend.ts";
import { DETERMINISTIC, llamaStand, PATIENT } from "../support/llama_stand.ts";

/** OpenAI's own client through the relay to a real llama.cpp: the answers are those without a relay. */
const messages = [{ role: "user" as const, content: "Once upon a time" }];
const clientOf = (url: string) => new OpenAI({ baseURL: `${url}/v1`, apiKey: "none", maxRetries: 0 });

describe("the openai SDK", { skip: noLlama() }, () => {
  const stand = llamaStand();

  test("a chat gets the text that it gets without a relay", PATIENT, async () => {
    const ask = async (client: OpenAI) =>
      (
        await client.chat.completions.create({
          model: stand.model,
          messages,
          max_tokens: 32,
          ...DETERMINISTIC,
        })
      ).choices[0]!.message.content;
    const wanted = await ask(clientOf(stand.llama.url));
    assert.ok(wanted);
    assert.equal(await ask(clientOf(stand.pair.url)), wanted);
  });

  test("a streamed chat gets the same deltas, one by one, and its usage", PATIENT, async () => {
    const ask = async (client: OpenAI) => {
      const stream = await client.chat.completions.create({
        model: stand.model,
        messages,
        max_tokens: 64,
        stream: true,
        stream_options: { include_usage: true },
        ...DETERMINISTIC,
      });
      const deltas: unknown[] = [];
      let tokens = 0;
      for await (const { choices, usage } of stream) {
        if (choices[0]) deltas.push(choices[0].delta, choices[0].finish_reason);
        tokens = usage?.completion_tokens ?? tokens;
      }
      return { deltas, tokens };
    };
    const wanted = await ask(clientOf(stand.llama.url));
    assert.ok(wanted.deltas.length > 20 && wanted.tokens === 64, JSON.stringify(wanted));
    assert.deepEqual(await ask(clientOf(stand.pair.url)), wanted);
  });

  test("a completion, whole and streamed", PATIENT, async () => {
    const ask = async (client: OpenAI) => {
      const request = { model: stand.model, prompt: "One, two,", max_tokens: 16, ...DETERMINISTIC };
      const whole = await client.completions.create(request);
      const pieces: string[] = [];
      for await (const { choices } of await client.completions.create({ ...request, stream: true }))
        pieces.push(choices[0]!.text);
      return { text: whole.choices[0]!.text, pieces };
    };
    const wanted = await ask(clientOf(stand.llama.url));
    assert.ok(wanted.text && wanted.pieces.length > 4);
    assert.deepEqual(await ask(clientOf(stand.pair.url)), wanted);
  });

  test("embeddings", PATIENT, async () => {
    const ask = async (client: OpenAI) =>
      (
        await client.embeddings.create({
          model: stand.model,
          input: ["a signal", "a box"],
          encoding_format: "float",
        })
      ).data;
    const wanted = await ask(clientOf(stand.llama.url));
    assert.equal(wanted.length, 2);
    assert.deepEqual(await ask(clientOf(stand.pair.url)), wanted);
  });

  test("responses, whole and streamed", PATIENT, async () => {
    const ask = async (client: OpenAI) => {
      const request = { model: stand.model, input: "Once", max_output_tokens: 16, ...DETERMINISTIC };
      const { output_text } = await client.responses.create(request);
      const types: string[] = [];
      for await (const { type } of await client.responses.create({ ...request, stream: true }))
        types.push(type);
      return { output_text, types };
    };
    const wanted = await ask(clientOf(stand.llama.url));
    assert.ok(wanted.types.includes("response.completed"));
    assert.deepEqual(await ask(clientOf(stand.pair.url)), wanted);
  });

  test("models are listed, and found by an id with slashes", PATIENT, async () => {
    assert.match(stand.model, /\/.*\//);
    assert.deepEqual(
      (await clientOf(stand.pair.url).models.list()).data.map(({ id, object }) => ({ id, object })),
      [{ id: stand.model, object: "model" }],
    );
    assert.equal((await clientOf(stand.pair.url).models.retrieve(stand.model)).id, stand.model);
    await assert.rejects(clientOf(stand.pair.url).models.retrieve("meta/none"), NotFoundError);
  });
});
