import assert from "node:assert/strict";
import { describe, test } from "node:test";
import OpenAI, { APIUserAbortError } from "openai";
import { lineHas } from "../support/admin_view.ts";
import { noLlama } from "../support/llama_backend.ts";
import { ENDLESS, llamaStand, PATIENT, UNDISTURBED_MS } from "../support/llama_stand.ts";
import { Pair } from "../support/pair.ts";

/** A client of OpenAI's SDK that does not want to wait any longer: the backend stops. */
const messages = [{ role: "user" as const, content: "Once upon a time" }];
const clientOf = (url: string) => new OpenAI({ baseURL: `${url}/v1`, apiKey: "none", maxRetries: 0 });

describe("an abort in the openai SDK", { skip: noLlama() }, () => {
  const stand = llamaStand();

  test("an abort in the middle of a stream stops the backend within a second", PATIENT, async () => {
    const stream = await clientOf(stand.pair.url).chat.completions.create({
      model: stand.model,
      messages,
      stream: true,
      ...ENDLESS,
    });
    let seen = 0;
    for await (const _ of stream) if (++seen === 5) break;
    await stand.llama.busyWhen(0, 1000);
  });

  test("an abort while a whole answer is waited for stops the backend", PATIENT, async () => {
    const leave = new AbortController();
    const asked = clientOf(stand.pair.url).chat.completions.create(
      { model: stand.model, messages, ...ENDLESS },
      { signal: leave.signal },
    );
    const rejected = assert.rejects(asked, APIUserAbortError);
    await stand.llama.busyWhen(1, 5000);
    leave.abort();
    await stand.llama.busyWhen(0, 5000, UNDISTURBED_MS);
    await rejected;
  });

  test("an abort in the line leaves it, and the backend never sees the request", PATIENT, async () => {
    await using narrow = await Pair.start(stand.llama.url, { worker: ["--max-concurrency", "1"] });
    const client = clientOf(narrow.url);
    const first = new AbortController();
    const occupant = await client.chat.completions.create(
      { model: stand.model, messages, stream: true, ...ENDLESS },
      { signal: first.signal },
    );
    const second = new AbortController();
    const asked = client.chat.completions.create(
      { model: stand.model, messages, ...ENDLESS },
      { signal: second.signal },
    );
    const rejected = assert.rejects(asked, APIUserAbortError);
    await lineHas(narrow.relay, 1);
    second.abort();
    await lineHas(narrow.relay, 0);
    await rejected;
    assert.equal(await stand.llama.busySlots(), 1);
    first.abort();
    for await (const _ of occupant);
    await stand.llama.busyWhen(0, 1000);
  });
});
