import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "./fake_clock.ts";
import {
  call,
  connectWorker,
  type HttpCall,
  HttpProbe,
  quiet,
  type SocketProbe,
  shown,
  until,
} from "./modelrelay/probe.ts";
import { RustServer, type RustServerOptions } from "./modelrelay/rust_server.ts";
import { readBlocks, withoutDate } from "./modelrelay/transcript.ts";
import { OPCODE } from "./modelrelay/web_socket.ts";

/**
 * The recording of the real server against its stand-in, block by block. What is compared is what stands in the
 * recording: texts literally, dates and durations not.
 */
const BLOCKS = readBlocks("server");
const replayed = new Set<string>();

const REGISTER = {
  type: "register",
  worker_name: "w",
  models: ["m"],
  max_concurrent: 1,
  protocol_version: "2026-04-bridge-v1",
};
const CHAT = "/v1/chat/completions";
const post = (path: string, body: string, headers: Record<string, string> = {}): HttpCall => ({
  method: "POST",
  path,
  body,
  headers,
});

/** Replay one block against a server of its own. */
function block(
  title: string,
  options: RustServerOptions,
  replay: (server: RustServer, lines: string[]) => Promise<void>,
): void {
  replayed.add(title);
  test(`server: ${title}`, async () => {
    const lines = BLOCKS.get(title);
    assert.ok(lines && lines.length > 0, "the recording has this block");
    const server = await RustServer.start({ workerSecret: "sek", adminToken: "adm", ...options });
    try {
      await replay(server, lines.map(withoutDate));
    } finally {
      server.kill();
    }
  });
}

async function register(server: RustServer, more: object = {}): Promise<SocketProbe> {
  const worker = await connectWorker(server.url, { secret: "sek" });
  worker.send({ ...REGISTER, ...more });
  await worker.next();
  return worker;
}

async function comparable(answer: HttpCall, server: RustServer): Promise<string> {
  return withoutDate(shown(await call(server.url, answer)));
}

const complete = (id: string, more: object = {}) => ({
  type: "response_complete",
  request_id: id,
  status_code: 200,
  ...more,
});

// --- answers without a worker -------------------------------------------------------------------------------

const PLAIN_CALLS: Record<string, HttpCall> = {
  "models empty": { path: "/v1/models" },
  "404": { path: "/nothing" },
  "/dashboard": { path: "/dashboard" },
  "/metrics": { path: "/metrics" },
  "405 GET chat": { path: CHAT },
  "trailing slash": { path: "/v1/models/" },
  "bad json": post(CHAT, "{"),
  "no model": post(CHAT, "{}"),
  "stream null": post(CHAT, '{"model":"m","stream":null}'),
  "413": post(CHAT, "x".repeat(2_097_153)),
  "connect non-upgrade": { path: "/v1/worker/connect" },
  "connect POST": post("/v1/worker/connect", ""),
  preflight: { method: "OPTIONS", path: CHAT },
  "admin workers noauth": { path: "/admin/workers" },
  "admin workers bare token": { path: "/admin/workers", headers: { authorization: "adm" } },
  "admin stats": { path: "/admin/stats", headers: { authorization: "Bearer adm" } },
  "duplicate query key": {
    path: "/v1/worker/connect?provider=a&provider=b",
    headers: {
      connection: "upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "k",
    },
  },
};
for (const [title, request] of Object.entries(PLAIN_CALLS)) {
  block(title, {}, async (server, [recorded]) => assert.equal(await comparable(request, server), recorded));
}

block("invalid utf8 body", {}, async (server, [recorded]) => {
  const body = new Uint8Array([0x7b, 0xff, 0x7d]);
  assert.equal(await comparable({ method: "POST", path: CHAT, body }, server), recorded);
});

/** The time since the start differs, and with it the length. */
const withoutUptime = (text: string) =>
  text.replace(/(uptime_secs\\?":)[\d.]+/, "$1N").replace(/"content-length":"\d+"/, '"content-length":"N"');

for (const [title, method] of [
  ["health empty", "GET"],
  ["HEAD health", "HEAD"],
] as const) {
  block(title, {}, async (server, [recorded]) => {
    const found = await comparable({ method, path: "/health" }, server);
    assert.equal(withoutUptime(found), withoutUptime(recorded!));
  });
}

// --- who may connect ----------------------------------------------------------------------------------------

/** The recorder's way to print a close. */
function recordedClose(lines: string[]): { code: number; reason: string } {
  const text = lines.join(" ");
  const code = Number(/code"?: (\d+)|"code":(\d+)/.exec(text)?.slice(1).find(Boolean) ?? NaN);
  return { code, reason: /reason\\?"?: ?\\?"([^"\\]*)/.exec(text)![1]! };
}

const REFUSALS = {
  "wrong secret": { secret: "bad" },
  "missing secret": {},
  "unknown provider": { secret: "sek", query: "?provider=other" },
};
for (const [title, options] of Object.entries(REFUSALS)) {
  block(title, {}, async (server, lines) => {
    const worker = await connectWorker(server.url, options);
    assert.deepEqual(await worker.closed(), recordedClose(lines));
  });
}

block(
  "third failure then rate limited with good secret",
  { clock: new FakeClock() },
  async (server, lines) => {
    for (let count = 0; count < 3; count++) {
      assert.equal(
        (await (await connectWorker(server.url, { secret: "bad" })).closed()).reason,
        "worker authentication failed",
      );
    }
    assert.deepEqual(
      await (await connectWorker(server.url, { secret: "sek" })).closed(),
      recordedClose(lines),
    );
  },
);

block("query secret, no provider", {}, async (server, [recorded]) => {
  const worker = await connectWorker(server.url, { query: "?worker_secret=sek" });
  worker.send(REGISTER);
  assert.equal(await worker.next(), recorded);
});

block(
  "api key as worker secret, arbitrary provider",
  { apiKeys: ["mr_live_x"], firstWorker: 2 },
  async (server, [ack, workers]) => {
    const worker = await connectWorker(server.url, { secret: "mr_live_x", query: "?provider=whatever" });
    worker.send(REGISTER);
    assert.equal(await worker.next(), ack);
    const { body } = await call(server.url, { path: "/admin/workers", headers: { authorization: "adm" } });
    assert.equal(body, workers);
  },
);

block("register full ack + unknown fields", { firstWorker: 3 }, async (server, [ack, health, models]) => {
  const worker = await connectWorker(server.url, { secret: "sek" });
  worker.send({ ...REGISTER, models: [" m ", "m", "", "*", "n"], mystery: { x: [1] }, current_load: 0 });
  assert.equal(await worker.next(), ack);
  const read = async (path: string) => (await call(server.url, { path })).body;
  assert.equal(withoutUptime(await read("/health")), withoutUptime(health!));
  assert.equal(await read("/v1/models"), models);
});

block(
  "register minimal (no version, no load), empty name, max 0",
  { firstWorker: 4 },
  async (server, [ack, workers]) => {
    const worker = await connectWorker(server.url, { secret: "sek" });
    worker.send({ type: "register", worker_name: " ", models: [" "], max_concurrent: 0 });
    assert.equal(await worker.next(), ack);
    const { body } = await call(server.url, { path: "/admin/workers", headers: { authorization: "adm" } });
    assert.equal(body, workers);
  },
);

const FIRST_MESSAGES: Record<string, string> = {
  "first msg: missing max_concurrent": '{"type":"register","worker_name":"w","models":["m"]}',
  "first msg: float max_concurrent 1.0":
    '{"type":"register","worker_name":"w","models":["m"],"max_concurrent":1.0}',
  "first msg: wrong version": JSON.stringify({ ...REGISTER, protocol_version: "1" }),
  "first msg: not register first": '{"type":"pong","current_load":0}',
};
for (const [title, message] of Object.entries(FIRST_MESSAGES)) {
  block(title, {}, async (server, lines) => {
    const worker = await connectWorker(server.url, { secret: "sek" });
    worker.send(message);
    const recorded = JSON.parse(JSON.parse(/undefined, ("\{.*\}")/.exec(lines[0]!)![1]!));
    assert.deepEqual(await worker.closed(), recorded);
    assert.deepEqual(worker.texts, []);
  });
}

block("first msg: null version ok?", { firstWorker: 5 }, async (server, lines) => {
  const worker = await connectWorker(server.url, { secret: "sek" });
  worker.send({ ...REGISTER, protocol_version: null });
  assert.equal(await worker.next(), JSON.parse(/\[ ("\{.*?\}"),/.exec(lines[0]!)![1]!));
  // The 1006 of the recording is its own probe leaving.
});

// --- after register -----------------------------------------------------------------------------------------

block("WS ping before register", {}, async (server, lines) => {
  const worker = await connectWorker(server.url, { secret: "sek" });
  worker.socket.sendFrame(OPCODE.ping);
  assert.deepEqual(await worker.closed(), JSON.parse(lines[0]!));
});

const TOO_LONG = 17 * 1024 * 1024;
const chunkOf = (bytes: number) => ({ type: "pong", current_load: 0, filler: "x".repeat(bytes - 60) });
const AFTER_REGISTER: Record<string, string | object> = {
  "after register: error msg": { type: "error", code: "upstream_error", message: "m" },
  "after register: unknown type": { type: "mystery" },
  "after register: second register": REGISTER,
  "after register: chunk unknown request": { type: "response_chunk", request_id: "nope", chunk: "x" },
  "after register: complete unknown request": complete("nope"),
  "after register: pong without load": { type: "pong" },
  "after register: unsolicited pong": { type: "pong", current_load: 0 },
  "after register: models_update w/o load": { type: "models_update", models: [] },
  "after register: headers null": complete("nope", { headers: null }),
  "after register: lone surrogate":
    '{"type":"response_complete","request_id":"nope","status_code":200,"body":"\\ud800"}',
  "17MiB frame": chunkOf(TOO_LONG),
  "15MiB frame": chunkOf(15 * 1024 * 1024),
};
for (const [title, message] of Object.entries(AFTER_REGISTER)) {
  block(title, {}, async (server, [recorded]) => {
    const worker = await register(server);
    worker.send(message);
    // What is open after this answer was open after that message.
    worker.socket.sendFrame(OPCODE.ping);
    await until(() => worker.pongs.length > 0 || worker.end);
    assert.equal(JSON.stringify(worker.end ?? "still open"), recorded);
  });
}

block("binary frame", {}, async (server, [recorded]) => {
  const worker = await register(server);
  worker.socket.sendFrame(OPCODE.binary, new Uint8Array([1]));
  assert.deepEqual(await worker.closed(), JSON.parse(recorded!));
});

block("WS ping after register", {}, async (server, [recorded]) => {
  const worker = await register(server);
  worker.socket.sendFrame(OPCODE.ping);
  await until(() => worker.pongs.length > 0);
  assert.equal(recorded, '[ "\\"still open\\"", "pong seen:", true ]');
  assert.equal(worker.end, undefined);
});

// --- requests -----------------------------------------------------------------------------------------------

block("request envelope + unary response + odd headers", {}, async (server, [request, answer]) => {
  const worker = await register(server);
  const client = new HttpProbe(
    server.url,
    post(CHAT, '{"model":"m","messages":[]}', {
      "x-foo": "Foo",
      "X-Foo": "Bar",
      Authorization: "Bearer k",
      accept: "*/*",
      "accept-encoding": "gzip",
      cookie: "a=b",
      "user-agent": "Bun/1.4.5",
    }),
  );
  assert.equal(await worker.next(), request);
  worker.send(complete("request-1", { headers: { "transfer-encoding": "chunked" }, body: "{}" }));
  assert.match(answer!, /^EXC TypeError: ECONNRESET/);
  await assert.rejects(client.whole(), /closed/);
});

block("raw: backend transfer-encoding header echoed", { firstRequest: 2 }, async (server, [request, raw]) => {
  const worker = await register(server);
  const client = new HttpProbe(
    server.url,
    post(CHAT, '{"model":"m"}', { "content-type": "application/json" }),
  );
  assert.equal(await worker.next(), request);
  worker.send(complete("request-2", { headers: { "transfer-encoding": "chunked" }, body: "{}" }));
  await assert.rejects(client.whole(), /closed/);
  assert.equal(JSON.stringify(client.raw), raw);
});

/** The whole answer as it stood on the wire. */
async function rawAnswer(server: RustServer, body: string, answers: object[], path = CHAT): Promise<string> {
  const worker = await register(server);
  const client = new HttpProbe(server.url, post(path, body));
  const { request_id } = JSON.parse(await worker.next());
  for (const answer of answers) worker.send({ ...answer, request_id });
  await until(() => client.answer || client.closed || client.raw.endsWith("{}"));
  client.leave();
  return JSON.stringify(withoutDate(client.raw));
}

block("raw: content-length mismatch", {}, async (server, [raw]) => {
  const answer = complete("", { headers: { "content-length": "99" }, body: "{}" });
  assert.equal(await rawAnswer(server, '{"model":"m"}', [answer]), raw);
});

block("raw: status 299 + bad header name", {}, async (server, [raw]) => {
  const answer = complete("", { status_code: 299, headers: { "bad name": "1", "x-ok": "1" }, body: "{}" });
  assert.equal(await rawAnswer(server, '{"model":"m"}', [answer]), raw);
});

block("raw: streaming headers", { firstRequest: 5 }, async (server, [request, raw]) => {
  const body = '{"model":"m","stream":true}';
  const worker = await register(server);
  const client = new HttpProbe(server.url, post("/v1/messages", body));
  assert.equal(await worker.next(), request);
  worker.send({ type: "response_chunk", request_id: "request-5", chunk: "data: x\n\n" });
  worker.send(complete("request-5", { headers: { "x-lost": "1" }, body: "" }));
  await client.whole();
  assert.equal(JSON.stringify(withoutDate(client.raw)), raw);
});

block("status_code 0 / 1000", {}, async (server, lines) => {
  assert.equal(lines.length, 6);
  const worker = await register(server);
  for (const line of lines) {
    const [status, recorded] = [Number.parseInt(line, 10), line.slice(line.indexOf(" ") + 1)];
    const client = new HttpProbe(server.url, post(CHAT, '{"model":"m"}'));
    const { request_id } = JSON.parse(await worker.next());
    worker.send(complete(request_id, { status_code: status, body: "abc" }));
    assert.equal(withoutDate(shown(await client.whole())), recorded);
  }
});

const STREAMED = '{"model":"m","stream":true}';
const chunk = (text: string) => ({ type: "response_chunk", chunk: text });

async function shownAnswer(server: RustServer, body: string, answers: object[]): Promise<string> {
  const worker = await register(server);
  const client = new HttpProbe(server.url, post(CHAT, body));
  const { request_id } = JSON.parse(await worker.next());
  for (const answer of answers) worker.send({ ...answer, request_id });
  return withoutDate(shown(await client.whole()));
}

block("stream: chunk then complete 400", {}, async (server, [recorded]) => {
  const answers = [
    chunk('{"error":1}'),
    complete("", { status_code: 400, headers: { "x-b": "1" }, body: "" }),
  ];
  assert.equal(await shownAnswer(server, STREAMED, answers), recorded);
});

block("stream: complete 400 first", {}, async (server, [recorded]) => {
  const headers = { "content-type": "application/json", "x-b": "1" };
  const answers = [complete("", { status_code: 400, headers, body: '{"error":2}' })];
  assert.equal(await shownAnswer(server, STREAMED, answers), recorded);
});

block("non-stream request answered with chunk + complete without body", {}, async (server, [recorded]) => {
  assert.equal(await shownAnswer(server, '{"model":"m"}', [chunk("x"), complete("")]), recorded);
});

block("late chunk after complete", {}, async (server, [recorded]) => {
  const worker = await register(server);
  const client = new HttpProbe(server.url, post(CHAT, STREAMED));
  const { request_id } = JSON.parse(await worker.next());
  worker.send(complete(request_id));
  await client.whole();
  worker.send({ ...chunk("late"), request_id });
  assert.deepEqual(await worker.closed(), JSON.parse(recorded!));
});

// --- slots and the queue ------------------------------------------------------------------------------------

const BUN_HEADERS = {
  accept: "*/*",
  "accept-encoding": "gzip, deflate, br, zstd",
  "content-type": "application/json",
  "user-agent": "Bun/1.4.5",
};
const ask = (server: RustServer) => new HttpProbe(server.url, post(CHAT, '{"model":"m"}', BUN_HEADERS));
const OK = { body: "ok" };

block(
  "cancel: client abort; slot leak; freed by response_complete",
  { firstWorker: 30, firstRequest: 16 },
  async (server, [cancel, health, leaked, next, answer]) => {
    const worker = await register(server);
    const leaver = ask(server);
    await worker.next();
    leaver.leave();
    assert.equal(`cancel: ${await worker.next()}`, cancel);
    const { workers } = JSON.parse((await call(server.url, { path: "/health" })).body);
    assert.equal(`health after cancel: ${JSON.stringify(workers)}`, health);
    const second = ask(server);
    const early = await worker.unread();
    assert.equal(`next request dispatched while slot leaked? ${early.length > 0}`, leaked);
    worker.send(complete("request-16", { status_code: 499, body: "" }));
    assert.equal(`after response_complete: ${await worker.next()}`, next);
    worker.send(complete("request-17", OK));
    assert.equal(withoutDate(shown(await second.whole())), answer);
  },
);

block(
  "queued before register: register does not dispatch; pong does",
  { firstRequest: 18 },
  async (server, [early, dispatched, answer]) => {
    const client = ask(server);
    await until(() => server.state.queueDepth === 1);
    const worker = await register(server);
    const [none] = await worker.unread();
    assert.equal(`within 600ms of register: ${none}`, early);
    worker.send({ type: "pong", current_load: 0 });
    assert.ok(dispatched!.startsWith(`after unsolicited pong: ${await worker.next()}`));
    worker.send(complete("request-18", OK));
    assert.equal(withoutDate(shown(await client.whole())), answer);
  },
);

block(
  "requeue: second idle worker does not get it until pong",
  { firstRequest: 19 },
  async (server, [early, dispatched, answer]) => {
    const first = await register(server);
    const client = ask(server);
    await first.next();
    const second = await register(server);
    first.socket.drop();
    await until(() => server.state.queueDepth === 1);
    assert.equal(`idle worker got requeued within 600ms: ${(await second.unread()).length > 0}`, early);
    second.send({ type: "pong", current_load: 0 });
    assert.ok(`after pong: ${await second.next()}`.startsWith(dispatched!));
    second.send(complete("request-19", OK));
    assert.equal(withoutDate(shown(await client.whole())), answer);
  },
);

block("requeue mid-stream duplicates output", {}, async (server, [recorded]) => {
  const first = await register(server);
  const client = new HttpProbe(server.url, post(CHAT, STREAMED));
  const { request_id } = JSON.parse(await first.next());
  first.send({ ...chunk("data: A\n\n"), request_id });
  await until(() => client.raw.includes("data: A"));
  first.socket.drop();
  await until(() => server.state.queueDepth === 1);
  const second = await register(server);
  second.send({ type: "pong", current_load: 0 });
  await second.next();
  second.send({ ...chunk("data: A\n\n"), request_id });
  second.send({ ...chunk("data: B\n\n"), request_id });
  second.send(complete(request_id));
  assert.equal(JSON.stringify((await client.whole()).body), recorded);
});

const clock = new FakeClock();
block("queue timeout", { clock, queueTimeoutMs: 3000 }, async (server, [recorded]) => {
  const client = ask(server);
  await until(() => server.state.queueDepth === 1);
  clock.advance(2999);
  await quiet();
  assert.equal(client.answer, undefined);
  clock.advance(1000);
  const found = withoutDate(shown(await client.whole()));
  assert.equal(JSON.parse(/\[ \d+, (".*") \]/.exec(recorded!)![1]!), found);
});

block("queue full, no compatible worker", { maxQueueLength: 2 }, async (server, [recorded]) => {
  const waiting = [ask(server), ask(server)];
  await until(() => server.state.queueDepth === 2);
  assert.equal(withoutDate(shown(await ask(server).whole())), recorded);
  for (const client of waiting) client.leave();
  await until(() => server.state.queueDepth === 0);
});

const timed = new FakeClock();
block(
  "queue full, compatible worker",
  { clock: timed, maxQueueLength: 2, queueTimeoutMs: 3000, requestTimeoutMs: 6000, firstRequest: 25 },
  async (server, [full, queued, timeout, cancel]) => {
    const worker = await register(server);
    const running = ask(server);
    await until(() => server.state.workers[0]!.inFlight.size === 1);
    timed.advance(25);
    await worker.next();
    const waiting = [ask(server), ask(server)];
    await until(() => server.state.queueDepth === 2);
    assert.equal(withoutDate(shown(await ask(server).whole())), full);
    timed.advance(4000);
    const statuses = await Promise.all(waiting.map(async (client) => (await client.whole()).status));
    assert.equal(`queued ones: [ ${statuses.join(", ")} ]`, queued);
    timed.advance(2000);
    assert.equal(`in-flight at request-timeout: ${withoutDate(shown(await running.whole()))}`, timeout);
    timed.advance(25);
    assert.equal(`cancel: ${await worker.next()}`, cancel);
  },
);

block("forged completion by another worker", {}, async (server, lines) => {
  const worker = await register(server);
  const client = ask(server);
  const { request_id } = JSON.parse(await worker.next());
  const forger = await register(server);
  forger.send(complete(request_id, { body: "FORGED" }));
  const found = [withoutDate(shown(await client.whole())), JSON.stringify(await forger.closed())];
  const recorded = /\[ (".*"), (".*")\s*\]/.exec(lines.join(" "))!;
  assert.deepEqual(found, [JSON.parse(recorded[1]!), JSON.parse(recorded[2]!)]);
});

block("drain trick: models_update [] stops dispatch, catalog empties", {}, async (server, [recorded]) => {
  const worker = await register(server);
  worker.send({ type: "models_update", models: [], current_load: 0 });
  await until(() => server.state.workers[0]!.models.length === 0);
  const { body } = await call(server.url, { path: "/v1/models" });
  ask(server);
  const [request] = await worker.unread();
  assert.equal(`[ ${JSON.stringify(body)}, ${request} ]`, recorded);
});

block("SIGTERM with idle worker: what the worker sees", {}, async (server, lines) => {
  const worker = await register(server);
  await server.stop();
  assert.deepEqual(await worker.closed(), { code: 1006, reason: "" });
  assert.match(lines[0]!, /\{\\"code\\":1006,\\"reason\\":\\"\\"\}/);
  assert.deepEqual(await worker.unread(), []);
});

// --- the rest -----------------------------------------------------------------------------------------------

const NOT_REPLAYED: Record<string, string> = {
  "admin key no ct no auth": "the stand-in has no key management: keys are given to it",
  "admin key bad json no auth": "as above",
  "admin key missing name no auth": "as above",
  "admin key create": "as above",
  "admin key list": "as above",
  "admin key delete bad id": "as above",
  "dispatch latency idle (20x)": "a measurement; the cadence of 25 ms behind it is the stand-in's too",
};

test("every block of the server's recording is replayed or has a reason why not", () => {
  assert.equal(BLOCKS.size, 75);
  assert.deepEqual([...replayed, ...Object.keys(NOT_REPLAYED)].sort(), [...BLOCKS.keys()].sort());
});
