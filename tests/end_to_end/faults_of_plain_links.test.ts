import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { endRelay, slotsFree, startRelay } from "../support/admin_view.ts";
import { type RelayProgram, WorkerProgram } from "../support/program.ts";
import { RawBackend } from "../support/raw_backend.ts";
import { ask, RawClient, requestText } from "../support/raw_client.ts";
import { failureCode } from "../support/raw_client_response.ts";
import { ScriptedWorker } from "../support/scripted_worker.ts";
import { until } from "../support/until.ts";

/** ModelRelay's link carries text in whole messages: what does not fit is refused, never damaged. */

let relay: RelayProgram;
let worker: WorkerProgram;
let backend: RawBackend;

before(async () => {
  backend = await RawBackend.start();
  relay = await startRelay();
  worker = await WorkerProgram.start(relay.url, backend.url, ["--models=m", "--link-form=plain"]);
});

after(async () => {
  await worker?.kill();
  await endRelay(relay);
  await backend?.[Symbol.asyncDispose]();
});

const BINARY = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0xff, 0x00]);

/** A request with these bytes as its body. */
async function sendBytes(bytes: Uint8Array, headers: Record<string, string> = {}) {
  const length = { "content-length": String(bytes.length) };
  const client = await RawClient.sends(
    relay.port,
    requestText({ path: "/v1/x", headers: { ...length, ...headers } }),
  );
  client.send(bytes);
  return client;
}

for (const [name, bytes, headers] of [
  ["bytes", BINARY, { "content-type": "image/png" }],
  ["bytes without a type", BINARY, {}],
  [
    "compressed text",
    gzipSync('{"model":"m"}'),
    { "content-type": "application/json", "content-encoding": "gzip" },
  ],
] as const) {
  test(`plain_link_text_only: ${name}`, async () => {
    const seen = backend.requests.length;
    await using client = await sendBytes(bytes, headers);
    const response = await client.response();
    assert.deepEqual([response.status, failureCode(response)], [415, "plain_link_text_only"]);
    assert.equal(backend.requests.length, seen);
  });
}

test("plain_link_text_only: a client that takes bytes only", async () => {
  const response = await ask(relay.port, { headers: { accept: "audio/mpeg" }, body: { model: "m" } });
  assert.deepEqual([response.status, failureCode(response)], [415, "plain_link_text_only"]);
});

test("bytes go to a worker that takes them", async () => {
  await using framed = await ScriptedWorker.connect(relay.url, { form: "framed" });
  await using client = await sendBytes(BINARY, { "content-type": "image/png" });
  const request = await (await framed.next()).received();
  request.answer(200);
  assert.equal((await client.response()).status, 200);
  assert.deepEqual(request.bytes, BINARY);
});

test("a backend's answer that is no text is a failure, not damaged bytes", async () => {
  await using client = await RawClient.sends(relay.port, requestText({ body: { model: "m" } }));
  (await backend.next()).send(`HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n${BINARY.toString("latin1")}`);
  const response = await client.response();
  assert.deepEqual([response.status, failureCode(response)], [502, "plain_link_text_only"]);
  await slotsFree(relay);
});

test("body_too_large: a body that is longer than a message may be", async () => {
  await using client = await sendBytes(Buffer.alloc(16 * 1024 * 1024, "x"), { "content-type": "text/plain" });
  const response = await client.response();
  assert.deepEqual([response.status, failureCode(response)], [413, "body_too_large"]);
  await slotsFree(relay);
});

test("link_overflow: an answer that piles up is given up, and the backend's work ends", async () => {
  await using client = await RawClient.sends(relay.port, requestText({ body: { model: "m", stream: true } }));
  client.pause();
  const request = (await backend.next()).startStream();
  const event = `data: ${"x".repeat(64 * 1024)}\n\n`;
  while (!request.closed) {
    request.chunk(event);
    await request.room();
  }
  await until(() => relay.stderr.includes("link_overflow"), "the log line");
  client.resume();
  await client.isClosed();
  assert.ok(!client.received.endsWith("0\r\n\r\n"));
  await slotsFree(relay);
});

test("an event stream that breaks off ends in an error event, or in a broken connection", async () => {
  await using client = await RawClient.sends(relay.port, requestText({ body: { model: "m", stream: true } }));
  const request = (await backend.next()).startStream();
  request.chunk("data: 1\n\n");
  await client.receives("data: 1");
  request.reset();
  await client.isClosed();
  const response = await client.response();
  assert.equal(response.complete, false);
  assert.match(response.body, /event: error\ndata: .*backend_broke_off/);
});
