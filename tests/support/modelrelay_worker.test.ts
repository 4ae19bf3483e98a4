import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { test } from "node:test";
import { FakeClock } from "./fake_clock.ts";
import { quiet, type SocketProbe, until } from "./modelrelay/probe.ts";
import {
  answerBytes,
  BackendProbe,
  chunkedBytes,
  RelayProbe,
  type SeenRequest,
} from "./modelrelay/probe_server.ts";
import { RustWorker, type RustWorkerOptions } from "./modelrelay/rust_worker.ts";
import { readBlocks } from "./modelrelay/transcript.ts";
import { OPCODE } from "./modelrelay/web_socket.ts";

/**
 * The recording of the real worker against its stand-in, block by block. The backend says what the recorder's
 * backend said, its date included, so what the worker sends is compared byte by byte.
 */
const BLOCKS = readBlocks("worker");
const replayed = new Set<string>();

const DATE = "date: Sat, 21 Nov 2026 19:45:52 GMT";
const JSON_UTF8 = "content-type: application/json;charset=utf-8";
const SSE = "content-type: text/event-stream";

const echo = (socket: Socket, { path, method }: SeenRequest) =>
  socket.write(answerBytes("200 OK", [JSON_UTF8, DATE], JSON.stringify({ path, method })));
const bad = (socket: Socket) =>
  socket.write(
    answerBytes("400 Bad Request", [JSON_UTF8, DATE, "retry-after: 3"], '{"error":{"message":"bad"}}'),
  );

const ANSWERS: Record<string, (socket: Socket, request: SeenRequest) => void> = {
  "*": echo,
  "/chunked": (socket) =>
    socket.write(chunkedBytes("200 OK", ["content-type: application/json", DATE], ['{"a":1}'])),
  "/err": bad,
  "/gzip": (socket) =>
    socket.write(
      answerBytes("200 OK", ["content-type: application/json", "content-encoding: gzip", DATE], damaged()),
    ),
  "/bin": (socket) =>
    socket.write(
      answerBytes(
        "200 OK",
        ["content-type: audio/mpeg", DATE, "set-cookie: z=0", "set-cookie: a=1"],
        new Uint8Array([0xff, 0xfe, 0, 0x41]),
      ),
    ),
  "/redir": (socket) => socket.write(answerBytes("302 Found", ["location: /landed"], "")),
  "/empty": (socket) => socket.write(`HTTP/1.1 204 No Content\r\n${DATE}\r\n\r\n`),
  "/sse": (socket) =>
    socket.write(chunkedBytes("200 OK", [SSE, DATE], ["data: 1\n\n", "data: 2\n\n", "data: [DONE]\n\n"])),
  "/hang": (socket) => socket.write(chunkedBytes("200 OK", [SSE, DATE], ["data: 0\n\n"], true)),
  "/split": (socket) => socket.write(chunkedBytes("200 OK", [SSE, DATE], [new Uint8Array([0xc3]), "x"])),
  "/v1/models": (socket) =>
    socket.write(answerBytes("200 OK", [JSON_UTF8, DATE], '{"data":[{"id":"disc-a"},{"id":"disc-b"}]}')),
};

/** Bytes that become the recorded text when they are read as UTF-8 with replacement. */
function damaged(): Uint8Array {
  const { body } = JSON.parse(BLOCKS.get("unary gzip")![0]!);
  return Buffer.concat(
    [...body].map((unit: string) => (unit === "\ufffd" ? Buffer.from([0xff]) : Buffer.from(unit))),
  );
}

interface Stage {
  relay: RelayProbe;
  backend: BackendProbe;
  worker: RustWorker;
  clock: FakeClock;
  socket: SocketProbe;
  lines: string[][];
}

/** Replay blocks against one worker that has just registered. */
function blocks(
  titles: string[],
  options: Partial<RustWorkerOptions>,
  replay: (stage: Stage) => Promise<void>,
): void {
  for (const title of titles) replayed.add(title);
  test(`worker: ${titles.join(", ")}`, async () => {
    const lines = titles.map((title) => BLOCKS.get(title) ?? []);
    for (const found of lines) assert.ok(found.length > 0, "the recording has this block");
    const relay = await RelayProbe.start();
    const backend = await BackendProbe.start(ANSWERS);
    const clock = new FakeClock();
    const worker = new RustWorker({
      proxyUrl: relay.url,
      backendUrl: backend.url,
      workerSecret: "sek",
      workerName: "probe",
      models: ["m", "x"],
      maxConcurrent: 4,
      clock,
      ...options,
    });
    try {
      const socket = await relay.worker();
      assert.equal(await socket.next(), REGISTER);
      await replay({ relay, backend, worker, clock, socket, lines });
      // A worker that fell over something would show it here.
      if (!options.random) assert.deepEqual(worker.drops, []);
    } finally {
      worker.stop();
      relay.stop();
      backend.stop();
    }
  });
}

const block = (title: string, replay: (stage: Stage, lines: string[]) => Promise<void>) =>
  blocks([title], {}, (stage) => replay(stage, stage.lines[0]!));

const REGISTER = /\{.*\}/.exec(BLOCKS.get("upgrade + register")![0]!)![0];
const request = (id: string, path: string, more: object = {}) => ({
  type: "request",
  request_id: id,
  model: "m",
  endpoint_path: path,
  is_streaming: false,
  body: "{}",
  headers: {},
  ...more,
});
const STREAM = { is_streaming: true };

test("worker: upgrade + register", async () => {
  replayed.add("upgrade + register");
  const recorded = JSON.parse(BLOCKS.get("upgrade + register")![1]!);
  const relay = await RelayProbe.start();
  const proxyUrl = `${relay.url}/base/`;
  const worker = new RustWorker({ proxyUrl, backendUrl: "http://127.0.0.1:1", workerSecret: "sek" });
  try {
    await relay.worker();
    const { head } = relay.workers[0]!;
    assert.equal(head.firstLine, `GET ${new URL(recorded.url).pathname}?provider=local HTTP/1.1`);
    const found = Object.fromEntries(head.headers);
    assert.deepEqual(Object.keys(found).sort(), Object.keys(recorded.h));
    for (const name of ["connection", "sec-websocket-version", "upgrade", "x-worker-secret"]) {
      assert.equal(found[name], recorded.h[name]);
    }
  } finally {
    worker.stop();
    relay.stop();
  }
});

block("ping", async ({ socket }, lines) => {
  socket.send({ type: "ping" });
  socket.send({ type: "ping", timestamp_unix_ms: 1712345678901, mystery: null });
  assert.deepEqual([await socket.next(), await socket.next()], lines);
});

block("unary json with extra fields method=GET and query", async ({ socket, backend }, [answer, saw]) => {
  const headers = {
    Authorization: "Bearer k",
    "accept-encoding": "gzip",
    "transfer-encoding": "chunked",
    host: "x",
  };
  const path = "/v1/files?limit=2&x=%2F";
  socket.send(
    request("r1", path, {
      method: "GET",
      endpoint_prefixes: [],
      headers: { ...headers, connection: "close" },
    }),
  );
  assert.equal(await socket.next(), answer);
  const recorded = JSON.parse(saw!.slice("backend saw: ".length));
  recorded.headers.host = new URL(backend.url).host;
  assert.deepEqual(backend.requests[0], recorded);
});

block("headers field absent", async ({ socket, backend }, [answer]) => {
  const { headers: _, ...withoutHeaders } = request("r2", "/v1/chat/completions");
  socket.send(withoutHeaders);
  assert.equal(await socket.next(), answer);
  assert.deepEqual(Object.keys(backend.requests[0]!.headers), ["accept", "content-length", "host"]);
});

const ANSWERED: Record<string, [id: string, path: string, more?: object]> = {
  "unary chunked": ["r3", "/chunked"],
  "unary err": ["r4", "/err"],
  "unary gzip": ["r5", "/gzip"],
  "unary bin": ["r6", "/bin"],
  "unary redir": ["r7", "/redir"],
  "unary empty": ["r8", "/empty"],
  "stream sse": ["r9", "/sse", STREAM],
  "stream err (400 json)": ["r10", "/err", STREAM],
  "stream empty 204": ["r11", "/empty", STREAM],
};
for (const [title, [id, path, more]] of Object.entries(ANSWERED)) {
  block(title, async ({ socket }, lines) => {
    socket.send(request(id, path, more));
    for (const line of lines) assert.equal(await socket.next(), line);
    assert.deepEqual(await socket.unread(), []);
  });
}

block("cancel in flight", async ({ socket, backend }, [chunk, silence, pong, unknown]) => {
  socket.send(request("r12", "/hang", STREAM));
  assert.equal(await socket.next(), chunk);
  socket.send({ type: "cancel", request_id: "r12", reason: "client_disconnect" });
  await until(() => backend.left === 1);
  const messages = (await socket.unread()).join() || "(none)";
  assert.equal(`after cancel msgs: ${messages} backend aborted: ${backend.left}`, silence);
  socket.send({ type: "ping" });
  assert.equal(await socket.next(), pong);
  socket.send({ type: "cancel", request_id: "never", reason: { other: "x" } });
  await quiet();
  assert.equal(`cancel unknown id + {other}: connected ${!socket.end}`, unknown);
});

block("models_refresh", async ({ socket }, [update]) => {
  socket.send({ type: "models_refresh", reason: "x" });
  assert.equal(await socket.next(), update);
});

block("ws-level ping from server", async ({ socket }, [line]) => {
  socket.socket.sendFrame(OPCODE.ping);
  await until(() => socket.pongs.length === 1);
  assert.equal(`connected: ${!socket.end}`, line);
});

block("binary from server ignored", async ({ socket }, [line]) => {
  socket.socket.sendFrame(OPCODE.binary, new Uint8Array([1, 2]));
  socket.send({ type: "ping" });
  await socket.next();
  assert.equal(`connected: ${!socket.end}`, line);
});

block("concurrency above max accepted?", async ({ socket }, [pong]) => {
  for (let count = 0; count < 8; count++) socket.send(request(`c${count}`, "/hang", STREAM));
  for (let count = 0; count < 8; count++) await socket.next();
  socket.send({ type: "ping" });
  assert.equal(await socket.next(), pong);
});

// --- dropped connections ------------------------------------------------------------------------------------

/** Waits as the recording shows them, so that the jitter which made them is known. */
function jitterOf(titles: string[], bases: number[]): () => number {
  const waits = titles.map((title) =>
    Number(/reconnected after (\d+) ms/.exec(BLOCKS.get(title)!.join(" "))![1]),
  );
  // In the middle of the millisecond, away from rounding.
  const jitters = waits.map((wait, index) => (wait - bases[index]! + 0.5) / 500);
  return () => jitters.shift()!;
}

/** The worker comes back when the recorded time has passed, and not before. */
async function comesBack({ relay, clock, worker }: Stage, lines: string[]): Promise<SocketProbe> {
  await until(() => worker.drops.length === relay.workers.length);
  const wait = Number(/reconnected after (\d+) ms/.exec(lines.join(" "))![1]);
  const before = relay.workers.length;
  clock.advance(wait - 1);
  await quiet();
  assert.equal(relay.workers.length, before, "not before its time");
  clock.advance(1);
  const socket = await relay.worker();
  assert.equal(await socket.next(), REGISTER);
  return socket;
}

const DROPS: Record<string, object> = {
  "drops: unknown type": { type: "mystery" },
  "drops: unknown cancel reason": { type: "cancel", request_id: "x", reason: "user_abort" },
  "drops: headers null": request("x", "/", { headers: null }),
  "drops: utf8 split": request("x", "/split", STREAM),
};
const DROP_TITLES = Object.keys(DROPS);

blocks(DROP_TITLES, { random: jitterOf(DROP_TITLES, [1000, 2000, 4000, 8000]) }, async (stage) => {
  let { socket } = stage;
  for (const [index, title] of DROP_TITLES.entries()) {
    socket.send(DROPS[title]!);
    assert.deepEqual(await socket.closed(), { code: 1006, reason: "" }, title);
    assert.match(stage.lines[index]![0]!, /dropped \{"code":1006,"reason":""\}/);
    socket = await comesBack(stage, stage.lines[index]!);
  }
});

const SHUTDOWN_TITLES = [
  "graceful_shutdown then close",
  "graceful_shutdown then request",
  "plain close by server",
];
blocks(SHUTDOWN_TITLES, { random: jitterOf(SHUTDOWN_TITLES, [2000, 1000, 2000]) }, async (stage) => {
  const { lines, socket: first } = stage;
  first.send({ type: "graceful_shutdown", reason: "x", drain_timeout_secs: 5 });
  await quiet();
  assert.equal(`still connected: ${!first.end}`, lines[0]![0]);
  first.socket.close(1000, "graceful shutdown complete");
  const second = await comesBack(stage, lines[0]!);
  second.send({ type: "graceful_shutdown" });
  second.send(request("x", "/"));
  assert.deepEqual(await second.closed(), { code: 1006, reason: "" });
  const third = await comesBack(stage, lines[1]!);
  third.socket.close(1000, "");
  await comesBack(stage, lines[2]!);
});

blocks(
  ["no register_ack needed / silent server 90s"],
  { random: () => 0 },
  async ({ clock, socket, lines }) => {
    const droppedMs = Number(/dropped after (\d+) ms/.exec(lines[0]![1]!)![1]);
    clock.advance(89_999);
    await quiet();
    assert.equal(socket.end, undefined);
    clock.advance(droppedMs - 89_999);
    assert.deepEqual(await socket.closed(), { code: 1006, reason: "" });
  },
);

blocks(["SIGTERM with in-flight"], { random: () => 0 }, async ({ worker, backend, socket, lines }) => {
  socket.send(request("r2", "/hang", STREAM));
  assert.equal(await socket.next(), lines[0]![0]);
  worker.stop();
  assert.deepEqual(await socket.closed(), { code: 1006, reason: "" });
  await until(() => backend.left === 1);
  assert.match(lines[0]![1]!, /\{"code":1006,"reason":""\} true msgs: \(none\) exit 0/);
  assert.deepEqual(await socket.unread(), []);
});

test("every block of the worker's recording is replayed", () => {
  assert.equal(BLOCKS.size, 27);
  assert.deepEqual([...replayed].sort(), [...BLOCKS.keys()].sort());
});

// --- what the recording does not show -----------------------------------------------------------------------

const FATAL = {
  "a lone surrogate": '{"type":"cancel","request_id":"\\ud800","reason":"timeout"}',
  "a field that stands twice": '{"type":"ping","timestamp_unix_ms":1,"timestamp_unix_ms":1}',
  "an integer with a point": '{"type":"ping","timestamp_unix_ms":1.0}',
  "a missing field": '{"type":"register_ack","models":[]}',
  "no JSON": "{",
};

test("worker: what serde does not read costs the whole session", async () => {
  for (const [name, message] of Object.entries(FATAL)) {
    const relay = await RelayProbe.start();
    const options = { backendUrl: "http://127.0.0.1:1", workerSecret: "s", clock: new FakeClock() };
    const worker = new RustWorker({ proxyUrl: relay.url, ...options });
    const socket = await relay.worker();
    socket.send(message);
    assert.deepEqual(await socket.closed(), { code: 1006, reason: "" }, name);
    worker.stop();
    relay.stop();
  }
});

test("worker: a server that chooses a subprotocol or an extension is refused", async () => {
  for (const header of ["Sec-WebSocket-Protocol: x", "Sec-WebSocket-Extensions: permessage-deflate"]) {
    const relay = await RelayProbe.start([header]);
    const options = {
      proxyUrl: relay.url,
      backendUrl: "http://127.0.0.1:1",
      workerSecret: "s",
      random: () => 0,
    };
    const worker = new RustWorker({ ...options, clock: new FakeClock() });
    await until(() => worker.drops.length === 1);
    assert.equal(worker.registered, 0);
    worker.stop();
    relay.stop();
  }
});

test("worker: a backend that refuses the connection costs the whole session", async () => {
  const relay = await RelayProbe.start();
  const clock = new FakeClock();
  const worker = new RustWorker({
    proxyUrl: relay.url,
    backendUrl: "http://127.0.0.1:1",
    workerSecret: "s",
    clock,
  });
  const socket = await relay.worker();
  await socket.next();
  socket.send(request("x", "/"));
  assert.deepEqual(await socket.closed(), { code: 1006, reason: "" });
  assert.match(worker.drops[0]!, /^backend: /);
  worker.stop();
  relay.stop();
});
