import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { EchoBackend, type Received, sha256 } from "../support/echo_backend.ts";
import { endpointAt, HOST, KEY, LOOPBACK, OverrideStand } from "../support/override_stand.ts";
import { RawBackend } from "../support/raw_backend.ts";
import { settled, until } from "../support/until.ts";

/** Bodies to and from a provider flow: nothing is collected, and who is slow stops who is fast. */

const MIB = 1024 * 1024;
const BIG = 20 * MIB;
const LIMIT = { timeout: 60_000 };

let provider: RawBackend;
let echo: EchoBackend;
let stand: OverrideStand;

before(async () => {
  provider = await RawBackend.start();
  echo = await EchoBackend.start();
  const ports = [provider.port, Number(new URL(echo.url).port)];
  const patterns = ports.map((port) => `http://${HOST}:${port}/v1/**`);
  stand = await OverrideStand.start({ endpoint: [{ name: "vllm", patterns, allow_private: LOOPBACK }] });
});

after(async () => {
  for (const one of [stand, provider, echo]) await one?.[Symbol.asyncDispose]();
});

function fetchAt(target: string, init: RequestInit = {}): Promise<Response> {
  const endpoint = endpointAt(Number(new URL(echo.url).port), target);
  const headers = { authorization: `Bearer ${KEY}`, "x-provider-endpoint": endpoint };
  return fetch(`${stand.relay.url}/v1/anything`, { ...init, headers });
}

test("each event is seen before the next is sent", async () => {
  const client = await stand.send(stand.text(endpointAt(provider.port)));
  const request = await provider.next();
  request.startStream();
  for (let event = 0; event < 50; event++) {
    request.chunk(`data: {"event":${event}}\n\n`);
    await client.receives(`data: {"event":${event}}\n\n`);
  }
  request.lastChunk();
  const { complete, headers } = await client.response();
  assert.equal(complete, true);
  assert.equal(headers.get("x-accel-buffering"), "no");
});

test("each piece of an upload is seen before the next is sent", async () => {
  const headers = { "transfer-encoding": "chunked", "content-type": "audio/wav" };
  const client = await stand.send(stand.text(endpointAt(provider.port), { headers, body: "" }));
  const request = await provider.next();
  for (let piece = 0; piece < 20; piece++) {
    client.send(`5\r\npie${String(piece).padStart(2, "0")}\r\n`);
    await until(() => request.body.length === 5 * (piece + 1), `piece ${piece} arrives`);
  }
  client.send("0\r\n\r\n");
  await request.receivedWhole();
  request.reply(200, "taken");
  assert.equal((await client.response()).body, "taken");
});

test("20 MB up, with its length and without, byte for byte", LIMIT, async () => {
  const bytes = randomBytes(BIG);
  const pieces = () => new Blob([bytes]).stream();
  for (const body of [bytes, pieces()]) {
    const answer = await fetchAt("/v1/files", { method: "PUT", body, duplex: "half" } as RequestInit);
    const { length, sha256: hash, method, target } = (await answer.json()) as Received;
    assert.deepEqual([method, target, length, hash], ["PUT", "/v1/files", BIG, sha256(bytes)]);
  }
});

test("20 MB down, with its length and without, byte for byte", LIMIT, async () => {
  const bytes = randomBytes(BIG);
  for (const headers of [{ "content-length": String(BIG) }, {}]) {
    echo.on("/v1/download", (_request, response) => void response.writeHead(200, headers).end(bytes));
    const hash = createHash("sha256");
    for await (const piece of (await fetchAt("/v1/download")).body!) hash.update(piece);
    assert.equal(hash.digest("hex"), sha256(bytes));
  }
});

/** More than all buffers on the way take: the kernel's have some megabytes on each connection. */
const MORE = 64 * MIB;
const PIECE = Buffer.alloc(MIB / 4, "p");

test("a client that takes nothing stops its provider, and loses nothing", LIMIT, async () => {
  const client = await stand.send(stand.text(endpointAt(provider.port)));
  const request = await provider.next();
  client.pause();
  request.send(`HTTP/1.1 200 OK\r\ncontent-length: ${MORE}\r\n\r\n`);
  let written = 0;
  const writing = (async () => {
    for (; written < MORE; written += PIECE.length) {
      request.send(PIECE);
      await request.room();
    }
  })();
  assert.ok((await settled(() => written)) < MORE / 2, `${written} bytes were taken`);
  client.resume();
  await writing;
  await until(() => client.received.length > MORE, "all of it", 20_000);
  assert.equal((await client.response(0, 10_000)).body.length, MORE);
});

test("a provider that takes nothing stops its client, and loses nothing", LIMIT, async () => {
  const headers = { "content-length": String(MORE) };
  const client = await stand.send(stand.text(endpointAt(provider.port), { headers, body: "" }));
  const request = await provider.next();
  request.stopReading();
  let written = 0;
  const writing = (async () => {
    for (; written < MORE; written += PIECE.length) {
      client.send(PIECE);
      await client.room();
    }
  })();
  assert.ok((await settled(() => written)) < MORE / 2, `${written} bytes were taken`);
  request.resumeReading();
  await writing;
  await until(() => request.whole, "all of it", 20_000);
  assert.equal(request.body.length, MORE);
  request.reply(200, "taken");
  assert.equal((await client.response()).body, "taken");
});

for (const [title, begin] of Object.entries({
  "before an answer": () => {},
  "in the middle of one": (request: Awaited<ReturnType<RawBackend["next"]>>) =>
    request.startStream().chunk("a"),
})) {
  test(`a client that leaves ${title}: the provider sees it within a second`, async () => {
    const client = await stand.send(stand.text(endpointAt(provider.port)));
    const request = await provider.next();
    begin(request);
    if (title !== "before an answer") await client.receives("a\r\n");
    client.leave();
    await request.isLeft(1000);
  });
}

test("a client that leaves during its upload: the provider sees it within a second", async () => {
  const headers = { "transfer-encoding": "chunked" };
  const client = await stand.send(
    stand.text(endpointAt(provider.port), { headers, body: "9\r\nonly this\r\n" }),
  );
  const request = await provider.next();
  client.leave();
  await request.isLeft(1000);
});

test("no worker saw any of that", () => stand.isWorkerUntouched());
