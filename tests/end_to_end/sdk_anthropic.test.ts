import assert from "node:assert/strict";
import { describe, test } from "node:test";
import Anthropic, {
  APIError,
  AuthenticationError,
  type ClientOptions,
  InternalServerError,
  NotFoundError,
} from "@anthropic-ai/sdk";
import { lineHas } from "../support/admin_view.ts";
import { KeysFile } from "../support/keys_file.ts";
import { noLlama } from "../support/llama_backend.ts";
import { DETERMINISTIC, ENDLESS, llamaStand, PATIENT } from "../support/llama_stand.ts";
import { Pair } from "../support/pair.ts";

/** Anthropic's own client through the relay to a real llama.cpp, which speaks its dialect too. */
const BOB = "sbx_key_of_bob_0123456789";
const messages = [{ role: "user" as const, content: "Once upon a time" }];
const clientOf = (url: string, options: ClientOptions = {}) =>
  new Anthropic({ baseURL: url, apiKey: "none", maxRetries: 0, ...options });

describe("the anthropic SDK", { skip: noLlama() }, () => {
  const stand = llamaStand();

  test("a message gets the text that it gets without a relay", PATIENT, async () => {
    const ask = async (url: string) => {
      const request = { model: stand.model, messages, max_tokens: 32, ...DETERMINISTIC };
      const { content, stop_reason, usage } = await clientOf(url).messages.create(request);
      return { content, stop_reason, tokens: usage.output_tokens };
    };
    const wanted = await ask(stand.llama.url);
    assert.equal(wanted.tokens, 32);
    assert.deepEqual(await ask(stand.pair.url), wanted);
  });

  test("a streamed message gets the same events, one by one", PATIENT, async () => {
    const ask = async (url: string) => {
      const request = { model: stand.model, messages, max_tokens: 48, ...DETERMINISTIC };
      const events: unknown[] = [];
      for await (const event of await clientOf(url).messages.create({ ...request, stream: true }))
        events.push(event.type === "message_start" ? event.type : event);
      return events;
    };
    const wanted = await ask(stand.llama.url);
    assert.ok(wanted.length > 20 && wanted[0] === "message_start");
    assert.deepEqual(await ask(stand.pair.url), wanted);
  });

  test("the streaming helper puts the whole message together", PATIENT, async () => {
    const request = { model: stand.model, messages, max_tokens: 24, ...DETERMINISTIC };
    const streamed = await clientOf(stand.pair.url).messages.stream(request).finalMessage();
    const whole = await clientOf(stand.pair.url).messages.create(request);
    assert.deepEqual(streamed.content, whole.content);
    assert.equal(streamed.stop_reason, "max_tokens");
  });

  test("tokens are counted by the backend", PATIENT, async () => {
    const count = (url: string) => clientOf(url).messages.countTokens({ model: stand.model, messages });
    const { input_tokens } = await count(stand.llama.url);
    assert.ok(input_tokens > 0);
    assert.equal((await count(stand.pair.url)).input_tokens, input_tokens);
  });

  test("models are listed, and found by an id with slashes", PATIENT, async () => {
    const { models } = clientOf(stand.pair.url);
    assert.deepEqual(
      (await models.list()).data.map(({ id }) => id),
      [stand.model],
    );
    assert.equal((await models.retrieve(stand.model)).id, stand.model);
    await assert.rejects(models.retrieve("meta/none"), NotFoundError);
  });

  test("an unknown model is a NotFoundError in Anthropic's dialect", PATIENT, async () => {
    const asked = clientOf(stand.pair.url).messages.create({
      model: "no-such-model",
      messages,
      max_tokens: 1,
    });
    await assert.rejects(asked, (error) => {
      assert.ok(error instanceof NotFoundError);
      assert.equal(error.type, "not_found_error");
      const { type, request_id } = error.error as { type: string; request_id: string };
      assert.deepEqual([type, request_id], ["error", error.headers?.get("x-signalbox-request-id")]);
      return true;
    });
  });

  test("an error of the backend comes as the backend wrote it", PATIENT, async () => {
    const ask = async (url: string) => {
      const wrong = { model: stand.model, max_tokens: 1 } as never;
      const error = await clientOf(url)
        .messages.create(wrong)
        .then(
          () => assert.fail("wanted an error"),
          (thrown: unknown) => thrown,
        );
      assert.ok(error instanceof APIError);
      return { status: error.status, message: error.message, body: error.error };
    };
    assert.deepEqual(await ask(stand.pair.url), await ask(stand.llama.url));
  });

  test("a wrong key is an AuthenticationError, a good one comes in either way", PATIENT, async () => {
    using keys = new KeysFile({ bob: BOB });
    await using guarded = await Pair.start(stand.llama.url, { relay: ["--api-keys-file", keys.path] });
    const ask = (options: ClientOptions) =>
      clientOf(guarded.url, options).messages.create({ model: stand.model, messages, max_tokens: 1 });
    await assert.rejects(ask({ apiKey: "wrong" }), (error) => {
      assert.ok(error instanceof AuthenticationError);
      assert.equal(error.type, "authentication_error");
      return true;
    });
    await assert.rejects(ask({ apiKey: null, authToken: "wrong" }), AuthenticationError);
    assert.ok((await ask({ apiKey: BOB })).content);
    assert.ok((await ask({ apiKey: null, authToken: BOB })).content);
  });

  test(
    "a full line is an overloaded_error, and an abort frees the slot within a second",
    PATIENT,
    async () => {
      await using narrow = await Pair.start(stand.llama.url, {
        relay: ["--max-queue-len", "1"],
        worker: ["--max-concurrency", "1"],
      });
      const client = clientOf(narrow.url);
      const ask = () => client.messages.create({ model: stand.model, messages, max_tokens: 1 });
      const occupant = await client.messages.create({
        model: stand.model,
        messages,
        stream: true,
        ...ENDLESS,
      });
      const waiting = ask();
      await lineHas(narrow.relay, 1);
      await assert.rejects(ask(), (error) => {
        assert.ok(error instanceof InternalServerError);
        assert.deepEqual([error.status, error.type], [503, "overloaded_error"]);
        return true;
      });
      const leftAtMs = performance.now();
      occupant.controller.abort();
      assert.ok((await waiting).content);
      assert.ok(performance.now() - leftAtMs < 1000);
      await stand.llama.busyWhen(0, 1000);
    },
  );
});
