import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { slotsFree, startRelay, workersWhen } from "../support/admin_view.ts";
import { type RelayProgram, WorkerProgram } from "../support/program.ts";
import { RawBackend } from "../support/raw_backend.ts";
import { RawClient, type RequestText, requestText } from "../support/raw_client.ts";
import { failureCode } from "../support/raw_client_response.ts";

/** The plain form between our own two ends: ModelRelay's messages with the features `method` and `head`. */

const CHAT: RequestText = { body: { model: "m" } };
const STREAM: RequestText = { body: { model: "m", stream: true } };
const MIB = 1024 * 1024;

let relay: RelayProgram;
let worker: WorkerProgram;
let backend: RawBackend;

before(async () => {
  backend = await RawBackend.start();
  relay = await startRelay();
  worker = await WorkerProgram.start(relay.url, backend.url, [
    "--models=m",
    "--link-form=plain",
    "--max-concurrency=32",
  ]);
});
after(async () => {
  await worker?.kill();
  await relay?.kill();
  await backend?.[Symbol.asyncDispose]();
});

async function begin(request: RequestText) {
  const client = await RawClient.sends(relay.port, requestText(request));
  return { client, request: await (await backend.next()).receivedWhole() };
}

test("the link is plain, and says so", async () => {
  const [report] = await workersWhen(relay, (workers) => workers.length === 1);
  assert.equal(report!.link_form, "plain");
  assert.match(worker.stderr, /form=plain/);
});

for (const method of ["GET", "PUT", "PATCH", "DELETE", "POST"]) {
  test(`${method} arrives as it is, with path, query, fields and body`, async () => {
    const body = method === "GET" ? {} : { body: "{}" };
    const path = "/v1/files/a%2Fb?q=%20&q=2";
    const { client, request } = await begin({
      method,
      path,
      headers: { "x-own": "é", "x-model": "m" },
      ...body,
    });
    assert.deepEqual(
      [request.method, request.target, request.body.toString()],
      [method, path, body.body ?? ""],
    );
    assert.equal(request.headers.get("x-own"), "é");
    request.reply(201, "done", { "x-own": "1" });
    const { status, headers, body: text } = await client.response();
    assert.deepEqual([status, headers.get("x-own"), text], [201, "1", "done"]);
  });
}

test("a stream keeps its status and its fields, before its first byte", async () => {
  const { client, request } = await begin(STREAM);
  request.send("HTTP/1.1 206 Partial\r\ncontent-type: text/event-stream; charset=utf-8\r\nx-own: 1\r\n");
  request.send("transfer-encoding: chunked\r\n\r\n");
  request.chunk("data: 1\n\n");
  await client.receives("data: 1");
  assert.match(client.received, /^HTTP\/1\.1 206 /);
  request.chunk("data: 2\n\n");
  request.lastChunk();
  const { headers, body, complete } = await client.response();
  const found = [headers.get("content-type"), headers.get("x-own"), body, complete];
  assert.deepEqual(found, ["text/event-stream; charset=utf-8", "1", "data: 1\n\ndata: 2\n\n", true]);
});

test("a refusal of a stream keeps its status, fields and body", async () => {
  const { client, request } = await begin(STREAM);
  request.reply(400, '{"error":"no"}', { "content-type": "application/json", "x-own": "1" });
  const { status, headers, body } = await client.response();
  assert.deepEqual([status, headers.get("x-own"), body], [400, "1", '{"error":"no"}']);
});

test("a stream that breaks off is visibly truncated", async () => {
  const { client, request } = await begin(STREAM);
  request.startStream().chunk("data: 1\n\n");
  await client.receives("data: 1");
  request.reset();
  await client.isClosed();
  assert.equal((await client.response()).complete, false);
  await slotsFree(relay);
});

test("a backend that breaks off before its answer is a 502", async () => {
  const { client, request } = await begin({ path: "/v1/x", ...CHAT });
  request.reset();
  const answer = await client.response();
  assert.deepEqual([answer.status, failureCode(answer)], [502, "backend_broke_off"]);
});

test("an answer that is not text is a 502 that says so", async () => {
  const { client, request } = await begin(CHAT);
  request.startStream({ "content-type": "image/png" }).chunk(new Uint8Array([0x89, 0xff, 0]));
  const answer = await client.response();
  assert.deepEqual([answer.status, failureCode(answer)], [502, "plain_link_text_only"]);
  await request.isLeft();
});

test("a body of 14 MiB passes both ways, a longer answer is a 502", async () => {
  const text = "x".repeat(14 * MIB);
  const { client, request } = await begin({
    headers: { "x-model": "m", "content-type": "text/plain" },
    body: text,
  });
  assert.equal(request.body.length, text.length);
  request.reply(200, text);
  assert.equal((await client.response(0, 5000)).body.length, text.length);
  const next = await begin(CHAT);
  next.request.reply(200, "y".repeat(16 * MIB));
  const answer = await next.client.response();
  assert.deepEqual([answer.status, failureCode(answer)], [502, "link_overflow"]);
});

test("HEAD and 204 have no body, and HEAD tells the length of what a GET would get", async () => {
  const head = await begin({ method: "HEAD", path: "/x", headers: { "x-model": "m" } });
  head.request.send("HTTP/1.1 200 OK\r\ncontent-length: 5\r\nx-own: 1\r\n\r\n");
  await head.client.receives("\r\n\r\n");
  assert.match(head.client.received, /^HTTP\/1\.1 200 .*x-own: 1\r\n/is);
  assert.match(head.client.received, /\r\ncontent-length: 5\r\n/i);
  const { client, request } = await begin(CHAT);
  request.send("HTTP/1.1 204 Nothing\r\nx-own: 1\r\n\r\n");
  const { status, headers, body } = await client.response();
  assert.deepEqual([status, headers.get("x-own"), body], [204, "1", ""]);
});
