import assert from "node:assert/strict";
import { describe, test } from "node:test";
import OpenAI, {
  AuthenticationError,
  BadRequestError,
  type ClientOptions,
  InternalServerError,
  NotFoundError,
} from "openai";
import { lineHas } from "../support/admin_view.ts";
import { KeysFile } from "../support/keys_file.ts";
import { noLlama } from "../support/llama_backend.ts";
import { ENDLESS, llamaStand, PATIENT } from "../support/llama_stand.ts";
import { Pair } from "../support/pair.ts";

/** What fails is the error that OpenAI's own client has for it. */
const ALICE = "sbx_key_of_alice_0123456789";
const messages = [{ role: "user" as const, content: "Once upon a time" }];
const clientOf = (url: string, options: ClientOptions = {}) =>
  new OpenAI({ baseURL: `${url}/v1`, apiKey: "none", maxRetries: 0, ...options });

describe("errors in the openai SDK", { skip: noLlama() }, () => {
  const stand = llamaStand();

  test("an unknown model is a NotFoundError that says so", PATIENT, async () => {
    const asked = clientOf(stand.pair.url).chat.completions.create({ model: "no-such-model", messages });
    await assert.rejects(asked, (error) => {
      assert.ok(error instanceof NotFoundError);
      assert.deepEqual([error.code, error.param], ["model_not_found", "model"]);
      assert.ok(error.headers?.get("x-signalbox-request-id"));
      return true;
    });
  });

  test("an error of the backend comes as the backend wrote it", PATIENT, async () => {
    const ask = async (client: OpenAI) => {
      const wrong = { model: stand.model, messages: "none" } as never;
      const error = await client.chat.completions.create(wrong).then(
        () => assert.fail("wanted an error"),
        (thrown: unknown) => thrown,
      );
      assert.ok(error instanceof BadRequestError);
      return { status: error.status, message: error.message, code: error.code, type: error.type };
    };
    assert.deepEqual(await ask(clientOf(stand.pair.url)), await ask(clientOf(stand.llama.url)));
  });

  test("a wrong key and none are AuthenticationErrors, a good one comes in", PATIENT, async () => {
    using keys = new KeysFile({ alice: ALICE });
    await using guarded = await Pair.start(stand.llama.url, { relay: ["--api-keys-file", keys.path] });
    const code = async (client: OpenAI) => {
      const error = await client.chat.completions
        .create({ model: stand.model, messages, max_tokens: 1 })
        .then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
      if (error !== undefined) assert.ok(error instanceof AuthenticationError, String(error));
      return error?.code;
    };
    assert.equal(await code(clientOf(guarded.url, { apiKey: "sbx_key_of_mallory" })), "invalid_api_key");
    const silent = clientOf(guarded.url, { defaultHeaders: { Authorization: null } });
    assert.equal(await code(silent), "unauthorized");
    assert.equal(await code(clientOf(guarded.url, { apiKey: ALICE })), undefined);
    await assert.rejects(clientOf(guarded.url, { apiKey: "wrong" }).models.list(), AuthenticationError);
  });

  test("a full line is an error that the SDK tries again", PATIENT, async () => {
    await using narrow = await Pair.start(stand.llama.url, {
      relay: ["--max-queue-len", "1"],
      worker: ["--max-concurrency", "1"],
    });
    const client = clientOf(narrow.url);
    const leave = new AbortController();
    const ask = () => client.chat.completions.create({ model: stand.model, messages, max_tokens: 1 });
    const occupant = await client.chat.completions.create(
      { model: stand.model, messages, stream: true, ...ENDLESS },
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
    const statuses: number[] = [];
    const patient = clientOf(narrow.url, {
      fetch: async (url, init) => {
        const response = await fetch(url, init);
        statuses.push(response.status);
        leave.abort();
        return response;
      },
    });
    const answer = patient.chat.completions.create(
      { model: stand.model, messages, max_tokens: 1 },
      { maxRetries: 3 },
    );
    assert.ok((await answer).choices[0]);
    assert.deepEqual([statuses[0], statuses.at(-1)], [503, 200]);
    for await (const _ of occupant);
    assert.ok((await waiting).choices[0]);
  });
});
