import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import OpenAI, {
  APIUserAbortError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
} from "openai";
import { lineHas } from "../support/admin_view.ts";
import { KeysFile } from "../support/keys_file.ts";
import { LlamaBackend, noLlama } from "../support/llama_backend.ts";
import { Pair } from "../support/pair.ts";

/** OpenAI's own client, through the relay, with a real llama.cpp behind it: the answers are those without the relay. */

const PATIENT = { timeout: 30_000 };

/** The same answer each time: the most likely token, and nothing left over from the request before. */
const DETERMINISTIC = { temperature: 0, seed: 1, cache_prompt: false, ignore_eos: true };
/** A request that never ends by itself. */
const ENDLESS = { max_tokens: -1, ignore_eos: true };
/**
 * Without a stream, llama.cpp looks whether its client is there after each second in which it gave no answer to
 * anybody. `bytes.test.ts` measures when the connection closes.
 */
const UNDISTURBED_MS = 1500;
const messages = [{ role: "user" as const, content: "Once upon a time" }];

describe("the openai SDK", { skip: noLlama() }, () => {
  let llama: LlamaBackend;
  let pair: Pair;
  let model: string;
  let direct: OpenAI;
  let relayed: OpenAI;

  const clientOf = (url: string, apiKey = "none") =>
    new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 });

  before(async () => {
    llama = await LlamaBackend.start(4);
    model = await llama.model();
    pair = await Pair.start(llama.url, { worker: ["--max-concurrency", "4"] });
    direct = clientOf(llama.url);
    relayed = clientOf(pair.url);
  });

  after(async () => {
    await pair?.[Symbol.asyncDispose]();
    await llama?.stop();
  });

  test("a chat gets the text that it gets without a relay", PATIENT, async () => {
    const ask = async (client: OpenAI) =>
      (await client.chat.completions.create({ model, messages, max_tokens: 32, ...DETERMINISTIC }))
        .choices[0]!.message.content;
    const wanted = await ask(direct);
    assert.ok(wanted);
    assert.equal(await ask(relayed), wanted);
  });

  test("a streamed chat gets the same deltas, one by one, and its usage", PATIENT, async () => {
    const ask = async (client: OpenAI) => {
      const stream = await client.chat.completions.create({
        model,
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
    const wanted = await ask(direct);
    assert.ok(wanted.deltas.length > 20 && wanted.tokens === 64, JSON.stringify(wanted));
    assert.deepEqual(await ask(relayed), wanted);
  });

  test("a completion, whole and streamed", PATIENT, async () => {
    const ask = async (client: OpenAI) => {
      const request = { model, prompt: "One, two,", max_tokens: 16, ...DETERMINISTIC };
      const whole = await client.completions.create(request);
      const pieces: string[] = [];
      for await (const { choices } of await client.completions.create({ ...request, stream: true }))
        pieces.push(choices[0]!.text);
      return { text: whole.choices[0]!.text, pieces };
    };
    const wanted = await ask(direct);
    assert.ok(wanted.text && wanted.pieces.length > 4);
    assert.deepEqual(await ask(relayed), wanted);
  });

  test("embeddings", PATIENT, async () => {
    const ask = async (client: OpenAI) =>
      (await client.embeddings.create({ model, input: ["a signal", "a box"], encoding_format: "float" }))
        .data;
    const wanted = await ask(direct);
    assert.equal(wanted.length, 2);
    assert.deepEqual(await ask(relayed), wanted);
  });

  test("responses, whole and streamed", PATIENT, async () => {
    const ask = async (client: OpenAI) => {
      const request = { model, input: "Once", max_output_tokens: 16, ...DETERMINISTIC };
      const { output_text } = await client.responses.create(request);
      const types: string[] = [];
      for await (const { type } of await client.responses.create({ ...request, stream: true }))
        types.push(type);
      return { output_text, types };
    };
    const wanted = await ask(direct);
    assert.ok(wanted.types.includes("response.completed"));
    assert.deepEqual(await ask(relayed), wanted);
  });

  test("models are listed, and found by an id with slashes", PATIENT, async () => {
    assert.match(model, /\/.*\//);
    assert.deepEqual(
      (await relayed.models.list()).data.map(({ id, object }) => ({ id, object })),
      [{ id: model, object: "model" }],
    );
    assert.equal((await relayed.models.retrieve(model)).id, model);
    await assert.rejects(relayed.models.retrieve("meta/none"), (error) => error instanceof NotFoundError);
  });

  test("an unknown model is a NotFoundError that says so", PATIENT, async () => {
    const asked = relayed.chat.completions.create({ model: "no-such-model", messages });
    await assert.rejects(asked, (error) => {
      assert.ok(error instanceof NotFoundError);
      assert.deepEqual([error.code, error.param], ["model_not_found", "model"]);
      assert.ok(error.headers?.get("x-signalbox-request-id"));
      return true;
    });
  });

  test("an error of the backend comes as the backend wrote it", PATIENT, async () => {
    const ask = async (client: OpenAI) => {
      const wrong = { model, messages: "none" } as never;
      const error = await client.chat.completions.create(wrong).then(
        () => assert.fail("wanted an error"),
        (thrown: unknown) => thrown,
      );
      assert.ok(error instanceof BadRequestError);
      return { status: error.status, message: error.message, code: error.code, type: error.type };
    };
    assert.deepEqual(await ask(relayed), await ask(direct));
  });

  test("a wrong key and none are AuthenticationErrors, a good one comes in", PATIENT, async () => {
    using keys = new KeysFile({ alice: "sbx_key_of_alice_0123456789" });
    await using guarded = await Pair.start(llama.url, { relay: ["--api-keys-file", keys.path] });
    const code = async (client: OpenAI) => {
      const error = await client.chat.completions.create({ model, messages, max_tokens: 1 }).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      if (error !== undefined) assert.ok(error instanceof AuthenticationError, String(error));
      return error?.code;
    };
    assert.equal(await code(clientOf(guarded.url, "sbx_key_of_mallory")), "invalid_api_key");
    const silent = new OpenAI({
      baseURL: `${guarded.url}/v1`,
      apiKey: "unused",
      maxRetries: 0,
      defaultHeaders: { Authorization: null },
    });
    assert.equal(await code(silent), "unauthorized");
    assert.equal(await code(clientOf(guarded.url, "sbx_key_of_alice_0123456789")), undefined);
    await assert.rejects(clientOf(guarded.url, "wrong").models.list(), AuthenticationError);
  });

  test("a full line is an error that the SDK tries again", PATIENT, async () => {
    await using narrow = await Pair.start(llama.url, {
      relay: ["--max-queue-len", "1"],
      worker: ["--max-concurrency", "1"],
    });
    const client = clientOf(narrow.url);
    const leave = new AbortController();
    const ask = (options: OpenAI.RequestOptions = {}) =>
      client.chat.completions.create({ model, messages, max_tokens: 1 }, options);
    const occupant = await client.chat.completions.create(
      { model, messages, stream: true, ...ENDLESS },
      { signal: leave.signal },
    );
    const waiting = ask();
    await lineHas(narrow.relay, 1);
    await assert.rejects(ask(), (error) => {
      assert.ok(error instanceof InternalServerError);
      assert.deepEqual([error.status, error.code], [503, "line_full"]);
      assert.match(error.headers?.get("retry-after") ?? "", /^[1-9]\d*$/);
      return true;
    });
    const patient = ask({ maxRetries: 3 });
    leave.abort();
    for await (const _ of occupant);
    assert.ok((await waiting).choices[0]);
    assert.ok((await patient).choices[0]);
  });

  test("an abort in the middle of a stream stops the backend within a second", PATIENT, async () => {
    const stream = await relayed.chat.completions.create({ model, messages, stream: true, ...ENDLESS });
    let seen = 0;
    for await (const _ of stream) if (++seen === 5) break;
    await llama.busyWhen(0, 1000);
  });

  test("an abort while a whole answer is waited for stops the backend", PATIENT, async () => {
    const leave = new AbortController();
    const asked = relayed.chat.completions.create({ model, messages, ...ENDLESS }, { signal: leave.signal });
    const rejected = assert.rejects(asked, APIUserAbortError);
    await llama.busyWhen(1, 5000);
    leave.abort();
    await llama.busyWhen(0, 5000, UNDISTURBED_MS);
    await rejected;
  });

  test("an abort in the line leaves it, and the backend never sees the request", PATIENT, async () => {
    await using narrow = await Pair.start(llama.url, { worker: ["--max-concurrency", "1"] });
    const client = clientOf(narrow.url);
    const first = new AbortController();
    const occupant = await client.chat.completions.create(
      { model, messages, stream: true, ...ENDLESS },
      { signal: first.signal },
    );
    const second = new AbortController();
    const asked = client.chat.completions.create({ model, messages, ...ENDLESS }, { signal: second.signal });
    const rejected = assert.rejects(asked, APIUserAbortError);
    await lineHas(narrow.relay, 1);
    second.abort();
    await lineHas(narrow.relay, 0);
    await rejected;
    assert.equal(await llama.busySlots(), 1);
    first.abort();
    for await (const _ of occupant);
    await llama.busyWhen(0, 1000);
  });
});
