import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { after, before, describe, test } from "node:test";
import { endRelay, slotsFree, startRelay } from "../support/admin_view.ts";
import { cannotOverPlain, LINK_FORM } from "../support/link_form.ts";
import { type RelayProgram, WorkerProgram } from "../support/program.ts";
import { type BackendRequest, RawBackend } from "../support/raw_backend.ts";
import { chunk, RawClient, requestText } from "../support/raw_client.ts";
import { failureCode } from "../support/raw_client_response.ts";
import { until } from "../support/until.ts";

/** Time limits: who stands still is cut off. */

const LIMIT_MS = 500;
/** The relay looks at its limits ten times a second, the worker twice. */
const SOON_MS = LIMIT_MS + 1500;

const CHAT = requestText({ body: { model: "m", stream: true } });
const PIECE = Buffer.alloc(64 * 1024, "x");

/** Write until nothing on the way takes more. */
async function fill(request: BackendRequest): Promise<void> {
  const stalled = () => new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 200));
  do request.chunk(PIECE);
  while (await Promise.race([request.room().then(() => true), stalled()]));
}

async function sendUntilLeft(request: BackendRequest): Promise<void> {
  while (!request.closed) {
    request.chunk(PIECE);
    await request.room();
  }
}

describe("a relay with short limits", () => {
  let relay: RelayProgram;
  let worker: WorkerProgram;
  let backend: RawBackend;

  before(async () => {
    const limits = ["request-timeout", "response-idle-timeout", "upload-idle-timeout", "slow-reader-timeout"];
    backend = await RawBackend.start();
    relay = await startRelay(limits.map((name) => `--${name}=${LIMIT_MS}ms`));
    worker = await WorkerProgram.start(relay.url, backend.url, ["--models=m"]);
  });

  after(async () => {
    await worker?.kill();
    await endRelay(relay);
    await backend?.[Symbol.asyncDispose]();
  });

  test("request_timeout: no byte of an answer", async () => {
    await using client = await RawClient.sends(relay.port, CHAT);
    const request = await backend.next();
    const response = await client.response(0, SOON_MS);
    assert.deepEqual([response.status, failureCode(response)], [504, "request_timeout"]);
    await request.isLeft();
    await slotsFree(relay);
  });

  test("upload_timeout: a small body that stops arriving", async () => {
    const headers = { "content-length": "100", "content-type": "application/json" };
    await using client = await RawClient.sends(relay.port, requestText({ headers }));
    client.send('{"model"');
    const response = await client.response(0, SOON_MS);
    assert.deepEqual([response.status, failureCode(response)], [408, "upload_timeout"]);
  });

  for (const headers of [{ "content-length": "3000000" }, { "transfer-encoding": "chunked" }]) {
    const skip = cannotOverPlain("wholeRequests");
    test(`upload_timeout: a stream that stops arriving, ${Object.keys(headers)}`, { skip }, async () => {
      const type = { "content-type": "application/octet-stream" };
      const text = requestText({ path: "/upload", headers: { ...headers, ...type } });
      await using client = await RawClient.sends(relay.port, text);
      client.send("content-length" in headers ? "x".repeat(70_000) : chunk("x".repeat(70_000)));
      const request = await backend.next();
      const response = await client.response(0, SOON_MS);
      assert.deepEqual([response.status, failureCode(response)], [408, "upload_timeout"]);
      await request.isLeft();
      await slotsFree(relay);
    });
  }

  test("response_stalled: an answer that stops", async () => {
    await using client = await RawClient.sends(relay.port, CHAT);
    const request = (await backend.next()).startStream();
    request.chunk("data: 1\n\n");
    await client.isClosed(SOON_MS);
    assert.equal((await client.response()).complete, false);
    await request.isLeft();
    await slotsFree(relay);
    await relay.says(/response_stalled/);
  });

  test("client_stalled: a client that takes nothing", async () => {
    await using client = await RawClient.sends(relay.port, CHAT);
    client.pause();
    const request = (await backend.next()).startStream();
    const sending = sendUntilLeft(request);
    await request.isLeft(SOON_MS);
    await sending;
    await slotsFree(relay);
    client.resume();
    await client.isClosed();
    assert.equal((await client.response()).complete, false);
    // What a plain link cannot slow down piles up before.
    await relay.says(LINK_FORM === "plain" ? /link_overflow/ : /client_stalled/);
  });
});

describe("a worker with short limits", () => {
  let relay: RelayProgram;
  let worker: WorkerProgram;
  let backend: RawBackend;

  before(async () => {
    const limits = ["backend-first-byte-timeout", "backend-idle-timeout"];
    backend = await RawBackend.start();
    relay = await startRelay();
    const flags = ["--models=m", ...limits.map((name) => `--${name}=${LIMIT_MS}ms`)];
    worker = await WorkerProgram.start(relay.url, backend.url, flags);
  });

  after(async () => {
    await worker?.kill();
    await endRelay(relay);
    await backend?.[Symbol.asyncDispose]();
  });

  test("request_timeout: the backend says nothing", async () => {
    await using client = await RawClient.sends(relay.port, CHAT);
    const request = await backend.next();
    const response = await client.response(0, SOON_MS);
    assert.deepEqual([response.status, failureCode(response)], [504, "request_timeout"]);
    await request.isLeft();
    await slotsFree(relay);
  });

  test("the backend stops in the middle of its answer: the truncation shows", async () => {
    await using client = await RawClient.sends(relay.port, CHAT);
    const request = (await backend.next()).startStream();
    request.chunk("data: 1\n\n");
    await client.isClosed(SOON_MS);
    assert.equal((await client.response()).complete, false);
    await request.isLeft();
    await slotsFree(relay);
  });
});

describe("a client that takes nothing", () => {
  for (const form of ["auto", "plain"]) {
    test(`stops its own stream only, ${form}`, async () => {
      await using backend = await RawBackend.start();
      await using relay = await startRelay();
      const flags = ["--models=m", "--max-concurrency=2", `--link-form=${form}`];
      await using _worker = await WorkerProgram.start(relay.url, backend.url, flags);
      await using stalled = await RawClient.sends(relay.port, CHAT);
      stalled.pause();
      const endless = (await backend.next()).startStream();
      // The plain form has no flow control: what it cannot keep it gives up.
      if (form === "auto") await fill(endless);
      else for (let sent = 0; sent < 100 && !endless.closed; sent++) endless.chunk(PIECE);

      await using client = await RawClient.sends(relay.port, CHAT);
      const request = (await backend.next()).startStream();
      for (let event = 0; event < 20; event++) {
        request.chunk(`data: ${event}\n\n`);
        await client.receives(`data: ${event}\n\n`, 1000);
      }
      request.chunk(Buffer.alloc(5_000_000, "y"));
      request.lastChunk();
      await until(() => client.received.endsWith("0\r\n\r\n"), "the other stream comes to its end");
      if (form === "auto") assert.equal(endless.closed, false);
    });
  }

  test("and goes on later has lost nothing", { skip: cannotOverPlain("noCredit") }, async () => {
    await using backend = await RawBackend.start();
    await using relay = await startRelay();
    await using _worker = await WorkerProgram.start(relay.url, backend.url, ["--models=m"]);
    await using client = await RawClient.sends(relay.port, CHAT);
    client.pause();
    const request = (await backend.next()).startStream({ "content-type": "application/octet-stream" });
    await fill(request);
    client.resume();
    await request.room();
    request.chunk("the end");
    request.lastChunk();
    await until(() => client.received.endsWith("0\r\n\r\n"), "the answer comes to its end");
    const { complete, body } = await client.response();
    assert.equal(complete, true);
    assert.match(body.slice(0, -7), /^x+$/);
    assert.ok(body.endsWith("the end"));
    assert.equal((body.length - 7) % PIECE.length, 0);
  });
});
