import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { after, before, test } from "node:test";
import { endRelay, slotsFree, startRelay } from "../support/admin_view.ts";
import { cannotOverPlain } from "../support/link_form.ts";
import { OVERRIDE_REFUSAL, type RelayProgram, WorkerProgram } from "../support/program.ts";
import { RawBackend } from "../support/raw_backend.ts";
import { ask, chunk, RawClient, type RequestText, requestText } from "../support/raw_client.ts";
import { failureCode, type RawResponse } from "../support/raw_client_response.ts";

/** What a client is told about its own request, through a real relay and worker. */

let relay: RelayProgram;
let worker: WorkerProgram;
let backend: RawBackend;

before(async () => {
  backend = await RawBackend.start();
  relay = await startRelay(["--max-body-size=1MiB", "--max-header-size=4KiB", "--deny-path=/secret"]);
  worker = await WorkerProgram.start(relay.url, backend.url, ["--models=m,qwen3-8b", "--max-concurrency=4"]);
});

after(async () => {
  await worker?.kill();
  await endRelay(relay);
  await backend?.[Symbol.asyncDispose]();
});

/** The answer to a request that the relay refuses by itself: the backend sees nothing of it. */
async function refused(request: RequestText | string): Promise<RawResponse> {
  const seen = backend.requests.length;
  const response = await ask(relay.port, request);
  assert.equal(backend.requests.length, seen, "the backend saw the request");
  return response;
}

async function refusedWith(
  status: number,
  code: string,
  request: RequestText | string,
): Promise<RawResponse> {
  const response = await refused(request);
  assert.deepEqual([response.status, failureCode(response)], [status, code]);
  assert.match(response.headers.get("x-signalbox-request-id") ?? "", /^[0-9a-f-]{36}$/);
  return response;
}

test("invalid JSON is forwarded untouched", { skip: cannotOverPlain("text") }, async () => {
  const body = Buffer.from('{"model":"m", nope: \u00e9\u0000\u2028 "\\ud800"', "utf8");
  const broken = Buffer.concat([body, Buffer.from([0xff, 0xfe, 0x00])]);
  const headers = { "content-type": "application/json", "content-length": String(broken.length) };
  await using client = await RawClient.sends(relay.port, requestText({ path: "/v1/anything", headers }));
  client.send(broken);
  const seen = await (await backend.next()).receivedWhole();
  assert.deepEqual(seen.body, broken);
  seen.reply(400, "the backend's own words");
  const { status, body: answer } = await client.response();
  assert.deepEqual([status, answer], [400, "the backend's own words"]);
});

test("model_not_found", async () => {
  const response = await refusedWith(404, "model_not_found", { body: { model: "qwen3-8B" } });
  const { error } = JSON.parse(response.body);
  assert.equal(error.param, "model");
  assert.match(error.message, /"qwen3-8B", the nearest are "qwen3-8b"/);
});

test("body_too_large, announced", async () => {
  const headers = { "content-length": String(1024 * 1024 + 1) };
  await refusedWith(413, "body_too_large", { headers });
});

const WHOLE = cannotOverPlain("wholeRequests");

test("body_too_large, found out while it arrives", { skip: WHOLE }, async () => {
  const headers = { "transfer-encoding": "chunked", "content-type": "application/octet-stream" };
  await using client = await RawClient.sends(relay.port, requestText({ path: "/upload", headers }));
  const piece = chunk("x".repeat(65_536));
  for (let sent = 0; sent < 16; sent++) client.send(piece);
  const upload = await backend.next();
  client.send(chunk("y"));
  const response = await client.response();
  assert.deepEqual([response.status, failureCode(response)], [413, "body_too_large"]);
  await upload.isLeft();
  await slotsFree(relay);
});

test("body_too_large after the answer began breaks the answer off", { skip: WHOLE }, async () => {
  const headers = { "transfer-encoding": "chunked", "content-type": "application/octet-stream" };
  await using client = await RawClient.sends(relay.port, requestText({ path: "/upload", headers }));
  client.send(chunk("x"));
  const upload = await backend.next();
  upload.startStream().chunk("data: 1\n\n");
  await client.receives("data: 1");
  for (let sent = 0; sent < 17; sent++) client.send(chunk("x".repeat(65_536)));
  await client.isClosed();
  assert.equal((await client.response()).complete, false);
  await upload.isLeft();
  await slotsFree(relay);
});

test("header_too_large", async () => {
  await refusedWith(431, "header_too_large", { headers: { "x-long": "a".repeat(4096) } });
});

for (const [name, head] of [
  ["none", "POST /v1/chat/completions HTTP/1.1\r\n"],
  ["two", "POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\nhost: b\r\n"],
  ["with a space", "POST /v1/chat/completions HTTP/1.1\r\nhost: a b\r\n"],
  ["with a path", "POST /v1/chat/completions HTTP/1.1\r\nhost: a/admin\r\n"],
  ["a list", "POST /v1/chat/completions HTTP/1.1\r\nhost: a,b\r\n"],
  ["empty", "POST /v1/chat/completions HTTP/1.1\r\nhost:\r\n"],
  ["with user information", "POST /v1/chat/completions HTTP/1.1\r\nhost: u@a\r\n"],
  ["none, over HTTP/1.0", "POST /v1/chat/completions HTTP/1.0\r\n"],
  ["with a space, over HTTP/1.0", "POST /v1/chat/completions HTTP/1.0\r\nhost: a b\r\n"],
] as const) {
  test(`bad_host: ${name}`, async () => {
    const response = await refused(`${head}content-length: 13\r\n\r\n{"model":"m"}`);
    assert.equal(response.status, 400);
    // Bun refuses some of these by itself, without a body.
    if (response.body !== "") assert.equal(failureCode(response), "bad_host");
  });
}

for (const method of ["GET", "HEAD"]) {
  for (const headers of [{ "content-length": "5" }, { "transfer-encoding": "chunked" }]) {
    test(`bad_request: ${method} with a body, ${Object.keys(headers)}`, async () => {
      const body = "content-length" in headers ? "hello" : "5\r\nhello\r\n0\r\n\r\n";
      const seen = backend.requests.length;
      await using client = await RawClient.sends(
        relay.port,
        requestText({ method, path: "/x", headers, body }),
      );
      await client.receives("HTTP/1.1 400 ");
      if (method === "GET") assert.equal(failureCode(await client.response()), "bad_request");
      assert.equal(backend.requests.length, seen);
    });
  }
}

for (const path of ["/health", "/v1/models", "/v1/models/m", "/admin/workers", "/v1/worker/connect"]) {
  test(`method_not_allowed: DELETE ${path}`, async () => {
    const response = await refusedWith(405, "method_not_allowed", { method: "DELETE", path });
    assert.match(response.headers.get("allow") ?? "", /^GET/);
  });
}

test("method_not_allowed: TRACE is never relayed", async () => {
  await refusedWith(405, "method_not_allowed", { method: "TRACE", path: "/x" });
});

for (const path of [
  "/admin",
  "/admin/nothing",
  "/v1/worker/other",
  "/metrics/../admin/x",
  "/x/%2e%2e/admin/",
]) {
  test(`not_found: ${path} is reserved, never relayed`, async () => {
    await refusedWith(404, "not_found", { method: "GET", path });
  });
}

for (const path of ["/v1/..%2fsecret", "/v1%5C..%5csecret", "/v1/%2e%2e%2Fsecret"]) {
  test(`path_not_allowed: ${path} may lead to one that is denied`, async () => {
    await refusedWith(404, "path_not_allowed", { method: "GET", path });
  });
}

for (const path of ["/secret", "/secret/a", "/x/../secret/a", "/secret?x"]) {
  test(`path_not_allowed: ${path}`, async () => {
    await refusedWith(404, "path_not_allowed", { method: "GET", path });
  });
}

const OVERRIDE = { "x-provider-endpoint": "https://dedicated.example.com/v1/chat" };
for (const request of [
  { body: { model: "m" }, headers: OVERRIDE },
  { body: { model: "m" }, headers: { "X-Provider-Endpoint": "" } },
  { method: "PUT", path: "/any/path?x", body: "bytes", headers: OVERRIDE },
  { method: "GET", path: "/any", headers: OVERRIDE },
  { method: "DELETE", path: "/any", headers: OVERRIDE },
  { method: "GET", path: "/v1/models", headers: OVERRIDE },
  { method: "GET", path: "/secret", headers: OVERRIDE },
  {
    method: "GET",
    path: "/v1/realtime",
    headers: { ...OVERRIDE, connection: "upgrade", upgrade: "websocket" },
  },
] satisfies RequestText[]) {
  test(`override_not_allowed: ${request.method ?? "POST"} ${request.path ?? "chat"}`, async () => {
    // What is reserved is for nobody's own endpoint, whoever asks.
    const isReserved = request.path === "/v1/models";
    const { status, code } = isReserved ? { status: 403, code: "override_not_allowed" } : OVERRIDE_REFUSAL;
    await refusedWith(status, code, request);
  });
}

test("override_not_allowed: HEAD", async () => {
  const seen = backend.requests.length;
  await using client = await RawClient.sends(
    relay.port,
    requestText({ method: "HEAD", path: "/x", headers: OVERRIDE }),
  );
  await client.receives(`HTTP/1.1 ${OVERRIDE_REFUSAL.status} `);
  assert.equal(backend.requests.length, seen);
});

test("upgrade_unsupported", async () => {
  const headers = {
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
  };
  await refusedWith(501, "upgrade_unsupported", { method: "GET", path: "/v1/realtime?model=m", headers });
});

test("errors speak the dialect of the path", async () => {
  const anthropic = JSON.parse((await refused({ path: "/v1/messages", body: { model: "none" } })).body);
  assert.equal(anthropic.type, "error");
  assert.equal(anthropic.error.type, "not_found_error");
  const ollama = JSON.parse((await refused({ path: "/api/chat", body: { model: "none" } })).body);
  assert.equal(typeof ollama.error, "string");
});
