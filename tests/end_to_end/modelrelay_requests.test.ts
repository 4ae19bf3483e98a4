import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { answerBytes } from "../support/modelrelay/probe_server.ts";
import { type Answers, type Ask, RelayStage } from "../support/modelrelay/relay_stage.ts";

/** What of a client's request ModelRelay's worker is sent, and its backend gets. Numbers: ModelRelay's contracts. */

const KIB = 1024;
const ECHO: Answers = { "*": (socket, { body }) => socket.write(answerBytes("200 OK", [], body)) };

let stage: RelayStage;
before(async () => {
  stage = await RelayStage.start(["--queue-timeout=2s"]);
});
after(async () => await stage?.[Symbol.asyncDispose]());

/** The message that a request becomes. The client leaves then. */
async function sentFor(ask: (model: string) => Ask) {
  const { model, takes } = await stage.hand();
  const client = stage.ask(ask(model));
  const request = await takes();
  client.leave();
  return { model, request };
}

/** Spaces, escapes and an order of members that no JSON library would write. */
const bodyOf = (model: string, stream: string) =>
  `{ "messages" : [ "caf\\u00e9 \u{1f600}" ],\n "stream":${stream} ,"model": "${model}", "n":1.0 }`;

const BOUNDARIES: [number: number, name: string, path: string][] = [
  [40, "openai_chat_completions", "/v1/chat/completions"],
  [41, "openai_responses", "/v1/responses"],
  [42, "anthropic_messages", "/v1/messages"],
];

test("40 41 42 the_http_boundaries_preserve_model_stream_flag_and_body, of all three paths", async () => {
  for (const [number, name, path] of BOUNDARIES) {
    for (const stream of [true, false]) {
      const { model, request } = await sentFor((m) => ({ path, body: bodyOf(m, `${stream}`) }));
      const { body, endpoint_path, is_streaming } = request;
      const found = [endpoint_path, request.model, is_streaming, body];
      assert.deepEqual(found, [path, model, stream, bodyOf(model, `${stream}`)], `${number} ${name}`);
    }
  }
});

const OPENAI = { authorization: "Bearer for-the-backend", "openai-organization": "org-1" };
const ANTHROPIC = {
  "x-api-key": "for-the-backend",
  "anthropic-version": "2023-06-01",
  "anthropic-beta": "a,b",
};
const ENVELOPES: [number: number, path: string, headers: Record<string, string>][] = [
  [43, "/v1/responses", OPENAI],
  [44, "/v1/chat/completions", OPENAI],
  [45, "/v1/messages", ANTHROPIC],
];

test("43 44 45 worker_requests_preserve_exact_envelope_and_compatibility_headers, user-agent too as the real server", async () => {
  for (const [number, path, own] of ENVELOPES) {
    const headers = { ...own, "user-agent": "an SDK" };
    const { model, request } = await sentFor((m) => ({ path, headers, body: { model: m } }));
    const { request_id, ...rest } = request;
    assert.match(request_id, /^[0-9a-f-]{36}$/);
    const expected = {
      type: "request",
      model,
      endpoint_path: path,
      is_streaming: false,
      body: JSON.stringify({ model }),
      headers: {
        ...headers,
        "content-type": "application/json",
        via: "1.1 signalbox",
        "x-forwarded-for": "127.0.0.1",
        "x-forwarded-proto": "http",
        "x-forwarded-host": "127.0.0.1",
      },
    };
    assert.deepEqual(rest, expected, `${number}`);
  }
});

test("what is for the relay or for one hop stays, and of repeated fields nothing is lost", async () => {
  const stay = {
    connection: "x-named",
    "x-named": "1",
    "x-worker-secret": "s",
    "x-model": "other",
    "x-provider": "local",
    "x-signalbox-other": "1",
    "accept-encoding": "gzip",
    te: "trailers",
    "proxy-authorization": "Basic x",
    expect: "100-continue",
  };
  const { request } = await sentFor((model) => ({ headers: { ...stay, "x-own": "a" }, body: { model } }));
  for (const name of Object.keys(stay)) assert.equal(request.headers[name], undefined, name);
  assert.equal(request.headers["x-own"], "a");
  const twice = await sentFor((model) => ({ headers: { "x-own": "a", "X-Own": "b" }, body: { model } }));
  assert.equal(twice.request.headers["x-own"], "a, b");
});

test("a worker of PR 288 is told the method, keeps to its prefixes, and reads them in the acknowledgement", async () => {
  const { socket, model, ack, ask, takes } = await stage.hand({
    endpoint_prefixes: [" v1/ ", "/v1", "/api*"],
  });
  assert.deepEqual(ack, { ...ack, endpoint_prefixes: ["/v1", "/api*"] });
  const headers = { "x-model": model };
  const listing = stage.ask({ method: "GET", path: "/api2/tags?a=1", headers });
  const get = await takes();
  assert.deepEqual([get.method, get.endpoint_path, get.body], ["GET", "/api2/tags?a=1", ""]);
  socket.send({ type: "response_complete", request_id: get.request_id, status_code: 200, body: "tags" });
  assert.equal((await listing.whole()).body, "tags");
  const outside = await ask({ path: "/v1beta/models" }).whole();
  assert.equal(outside.status, 404);
  assert.deepEqual(await socket.unread(), []);
  const post = ask();
  assert.equal("method" in (await takes()), false);
  post.leave();
});

test("is_streaming: the body's stream, the query's, or that only events are accepted", async () => {
  const asks: [Ask, boolean][] = [
    [{ body: { stream: true } }, true],
    [{ path: "/v1/x?stream=true" }, true],
    [{ headers: { accept: "text/event-stream" } }, true],
    [{ body: { stream: "true" } }, false],
    [{ path: "/v1/x?stream=1" }, false],
    [{}, false],
  ];
  for (const [ask, expected] of asks) {
    const { request } = await sentFor((model) => ({ ...ask, body: { model, ...(ask.body as object) } }));
    assert.equal(request.is_streaming, expected, JSON.stringify(ask));
  }
});

test("a body that is not text is a 415 at once, where only ModelRelay's workers serve the model", async () => {
  await stage.play({ answers: ECHO }, async ({ backend, model }) => {
    const bodies: [body: Uint8Array<ArrayBuffer>, headers: Record<string, string>][] = [
      [new Uint8Array([0xff, 0xd8, 0x00]), { "content-type": "image/jpeg" }],
      [new Uint8Array(gzipSync("{}")), { "content-type": "application/json", "content-encoding": "gzip" }],
    ];
    for (const [body, headers] of bodies) {
      const url = `${stage.relay.url}/v1/images/edits`;
      const refused = await fetch(url, { method: "POST", headers: { ...headers, "x-model": model }, body });
      const { error } = (await refused.json()) as { error: { code: string } };
      assert.deepEqual([refused.status, error.code], [415, "plain_link_text_only"]);
    }
    assert.equal(backend.requests.length, 0);
  });
});

test("bodies of 64 KiB to 15 MB pass both ways, character by character", async () => {
  await stage.play({ answers: ECHO }, async ({ model }) => {
    for (const bytes of [64 * KIB - 1, 64 * KIB, 1024 * KIB, 1024 * KIB + 1, 15_000_000]) {
      const text = "é€\u{1f600}abcdefg".repeat(bytes / 16) + "x".repeat(bytes % 16);
      assert.equal(Buffer.byteLength(text), bytes);
      const headers = { "content-type": "text/plain", "x-model": model };
      const answer = await fetch(`${stage.relay.url}/v1/x`, { method: "POST", headers, body: text });
      assert.equal(answer.status, 200);
      assert.equal(digest(await answer.text()), digest(text), `${bytes}`);
    }
  });
});

const digest = (text: string) => createHash("sha256").update(text).digest("hex");
