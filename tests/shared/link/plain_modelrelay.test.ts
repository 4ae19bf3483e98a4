import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import type { LinkConnection, LinkRequestHead, LinkResponseHead } from "../../../shared/link/events.ts";
import { connectWorker, HttpProbe, type SocketProbe, until } from "../../support/modelrelay/probe.ts";
import {
  answerBytes,
  BackendProbe,
  chunkBytes,
  chunkedBytes,
  RelayProbe,
} from "../../support/modelrelay/probe_server.ts";
import { RustServer } from "../../support/modelrelay/rust_server.ts";
import { RustWorker } from "../../support/modelrelay/rust_worker.ts";
import { allTexts, bytes, HEAD, relayEnd, workerEnd } from "./plain_ends.ts";

/** Our ends against the stand-ins of ModelRelay's programs, over real sockets. */

const SSE = ["content-type: text/event-stream"];

/** Carry what came and what wants to leave, until something is true. */
async function pump(connection: LinkConnection, socket: SocketProbe, what: () => unknown): Promise<void> {
  await until(() => {
    for (const text of socket.texts.splice(0))
      if (!text.startsWith('{"type":"register')) connection.receive(text);
    for (const text of allTexts(connection)) socket.send(text);
    return what();
  }, `${what}`);
}

async function withRustWorker(
  answers: Parameters<typeof BackendProbe.start>[0],
  play: (stage: {
    relay: ReturnType<typeof relayEnd>;
    backend: BackendProbe;
    worker: RustWorker;
    socket: SocketProbe;
    ask(head?: Partial<LinkRequestHead>, body?: string): number;
    pump(what: () => unknown): Promise<void>;
  }) => Promise<void>,
): Promise<void> {
  const probe = await RelayProbe.start();
  const backend = await BackendProbe.start(answers);
  const worker = new RustWorker({ proxyUrl: probe.url, backendUrl: backend.url, workerSecret: "s" });
  const socket = await probe.worker();
  const relay = relayEnd();
  try {
    await play({
      relay,
      backend,
      worker,
      socket,
      ask(head = {}, body = "{}") {
        const exchange = relay.connection.openExchange({ ...HEAD, ...head });
        relay.connection.sendData(exchange, bytes(body));
        relay.connection.sendEnd(exchange);
        return exchange;
      },
      pump: (what) => pump(relay.connection, socket, what),
    });
    assert.deepEqual(worker.drops, [], "a Rust worker that drops the link was sent something wrong");
  } finally {
    worker.stop();
    probe.stop();
    backend.stop();
  }
}

const answerOf = (events: { type: string }[], exchange: number) =>
  events.filter(
    (event) => (event as { exchange?: unknown }).exchange === exchange && event.type !== "started",
  );

test("S2, S7, S8: a Rust worker's answer crosses, framed anew, and its backend is asked for no coding", async () => {
  const answer = chunkedBytes(
    "200 OK",
    ["content-type: application/json", "keep-alive: timeout=5"],
    ['{"a":1}'],
  );
  await withRustWorker({ "*": (socket) => socket.write(answer) }, async ({ relay, backend, ask, pump }) => {
    const exchange = ask({
      target: "/v1/x?y=%2F",
      headers: [
        ["Accept-Encoding", "gzip"],
        ["X-A", "\u{e4}"],
      ],
    });
    await pump(() => relay.events.some(({ type }) => type === "end"));
    assert.deepEqual(answerOf(relay.events, exchange), [
      {
        type: "response",
        exchange,
        head: {
          status: 200,
          headers: [
            ["content-type", "application/json"],
            ["content-length", "7"],
          ],
        },
      },
      { type: "data", exchange, text: '{"a":1}' },
      { type: "end", exchange },
    ]);
    const [seen] = backend.requests;
    assert.deepEqual([seen!.method, seen!.path, seen!.body], ["POST", "/v1/x?y=%2F", "{}"]);
    assert.deepEqual(Object.keys(seen!.headers), ["accept", "content-length", "host"]);
  });
});

test("S9: a Rust worker's streamed refusal keeps its status; its event stream flows at once", async () => {
  const answers = {
    "/bad": (socket: { write(bytes: Uint8Array): unknown }) =>
      socket.write(answerBytes("400 Bad Request", ["x-b: 1"], '{"error":1}')),
    "/sse": (socket: { write(bytes: Uint8Array): unknown }) =>
      socket.write(chunkedBytes("200 OK", SSE, ["data: 1\n\n"], true)),
  };
  await withRustWorker(answers, async ({ relay, ask, pump }) => {
    const refused = ask({ target: "/bad", streaming: true });
    await pump(() => relay.events.some(({ type }) => type === "end"));
    const [head] = answerOf(relay.events, refused);
    assert.equal((head as unknown as { head: LinkResponseHead }).head.status, 400);
    const stream = ask({ target: "/sse", streaming: true });
    await pump(() => answerOf(relay.events, stream).some(({ type }) => type === "data"));
    assert.equal(relay.connection.open, 1);
  });
});

test("S3, S4: a Rust worker stops at our cancel, and the exchange is over without its answer", async () => {
  const hang = (socket: { write(bytes: Uint8Array): unknown }) =>
    socket.write(chunkedBytes("200 OK", SSE, [":\n\n"], true));
  await withRustWorker({ "*": hang }, async ({ relay, backend, worker, ask, pump }) => {
    const exchange = ask({ streaming: true });
    await pump(() => relay.events.some(({ type }) => type === "data"));
    relay.connection.sendReset(exchange, "cancelled", "");
    assert.equal(relay.connection.open, 0);
    await pump(() => backend.left === 1 && worker.running === 0);
  });
});

test("S1, S6, S13: whatever is asked of us, a Rust worker is sent nothing that it falls over", async () => {
  const answer = (socket: { write(bytes: Uint8Array): unknown }) =>
    socket.write(answerBytes("200 OK", [], "{}"));
  await withRustWorker({ "*": answer }, async ({ relay, worker, socket, ask, pump }) => {
    const { connection } = relay;
    connection.sendControl({ type: "ping", timestamp_unix_ms: 1 });
    connection.sendControl({ type: "load", current_load: 1 });
    connection.sendControl({ type: "pong", current_load: 1 });
    ask({ model: "a\ud800", headers: [["x", "\ud800"]] });
    ask({ method: "GET" });
    ask({ upgrade: true });
    await pump(() => relay.events.filter(({ type }) => type === "end" || type === "reset").length === 3);
    connection.sendControl({ type: "drain", reason: "a\udc00", drain_timeout_secs: 5 });
    ask();
    await pump(() => relay.events.at(-1)!.type === "reset");
    connection.sendControl({ type: "ping" });
    const pongs = () =>
      relay.events.filter(({ message }) => (message as { type?: string })?.type === "pong").length;
    await pump(() => pongs() === 2);
    assert.deepEqual([worker.registered, socket.end], [1, undefined]);
  });
});

// --- our worker at a Rust server ----------------------------------------------------------------------------

async function withRustServer(
  play: (stage: {
    server: RustServer;
    worker: ReturnType<typeof workerEnd>;
    socket: SocketProbe;
    ask(body: string): HttpProbe;
    pump(what: () => unknown): Promise<void>;
    /** The exchange of the next request that comes. */
    request(): Promise<number>;
  }) => Promise<void>,
): Promise<void> {
  const server = await RustServer.start({ workerSecret: "s" });
  const socket = await connectWorker(server.url, { secret: "s" });
  socket.send({ type: "register", worker_name: "w", models: ["m"], max_concurrent: 1 });
  await until(() => socket.texts.length === 1);
  const worker = workerEnd();
  let taken = 0;
  const carry = (what: () => unknown) => pump(worker.connection, socket, what);
  const requests = () => worker.events.filter(({ type }) => type === "request");
  try {
    await play({
      server,
      worker,
      socket,
      ask: (body) => new HttpProbe(server.url, { method: "POST", path: "/v1/chat/completions", body }),
      pump: carry,
      async request() {
        await carry(() => requests().length > taken);
        return requests()[taken++]!.exchange as number;
      },
    });
    assert.equal(socket.end, undefined, "a Rust server that closes was sent something wrong");
  } finally {
    server.kill();
  }
}

const PLAIN = '{"model":"m"}';
const STREAM = '{"model":"m","stream":true}';
const EVENTS: LinkResponseHead = { status: 200, headers: [["Content-Type", "text/event-stream"]] };

test("W7: a backend's chunked answer reaches the client of a Rust server", async () => {
  await withRustServer(async ({ worker, ask, request, pump }) => {
    const client = ask(PLAIN);
    const exchange = await request();
    const headers: [string, string][] = [
      ["Transfer-Encoding", "chunked"],
      ["X-B", "1"],
    ];
    worker.connection.sendResponse(exchange, { status: 201, headers });
    worker.connection.sendData(exchange, bytes("\u00e4"));
    worker.connection.sendEnd(exchange);
    await pump(() => client.answer);
    const { status, headers: found, body } = client.answer!;
    assert.deepEqual([status, found["x-b"], body], [201, "1", "\u00e4"]);
  });
});

test("W6: through a Rust server a stream flows piece by piece, and a refusal keeps its status", async () => {
  await withRustServer(async ({ worker, ask, request, pump }) => {
    const client = ask(STREAM);
    const exchange = await request();
    worker.connection.sendResponse(exchange, EVENTS);
    worker.connection.sendData(exchange, bytes("data: 1\n\n"));
    await pump(() => client.raw.includes("data: 1"));
    worker.connection.sendEnd(exchange);
    await pump(() => client.answer);
    const refused = ask(STREAM);
    const second = await request();
    worker.connection.sendResponse(second, { status: 400, headers: [["content-type", "application/json"]] });
    worker.connection.sendData(second, bytes('{"error":1}'));
    worker.connection.sendEnd(second);
    await pump(() => refused.answer);
    assert.deepEqual([refused.answer!.status, refused.answer!.body], [400, '{"error":1}']);
  });
});

test("W3, W4: after a client of a Rust server left, its slot is free and our late bytes do no harm", async () => {
  await withRustServer(async ({ server, worker, ask, request, pump }) => {
    const leaver = ask(STREAM);
    const exchange = await request();
    worker.connection.sendResponse(exchange, EVENTS);
    worker.connection.sendData(exchange, bytes("data: 1\n\n"));
    await pump(() => leaver.raw.includes("data: 1"));
    leaver.leave();
    await pump(() => worker.events.at(-1)!.type === "reset");
    worker.connection.sendData(exchange, bytes("data: late\n\n"));
    worker.connection.sendEnd(exchange);
    await pump(() => server.state.workers[0]!.inFlight.size === 0);
    const next = ask(PLAIN);
    worker.connection.sendEnd(await request());
    await pump(() => next.answer);
  });
});

test("W2, W5, W10: failures, our own control messages and a drain keep a Rust server's link open", async () => {
  await withRustServer(async ({ server, worker, ask, request, pump }) => {
    const { connection } = worker;
    const client = ask(PLAIN);
    connection.sendReset(await request(), "backend_unreachable", "connect ECONNREFUSED");
    await pump(() => client.answer);
    assert.equal(client.answer!.status, 502);
    const broken = ask(STREAM);
    const exchange = await request();
    connection.sendResponse(exchange, EVENTS);
    connection.sendData(exchange, bytes("data: 1\n\n"));
    await pump(() => broken.raw.includes("data: 1"));
    connection.sendData(exchange, new Uint8Array([0xff]));
    await pump(() => broken.answer);
    assert.match(broken.answer!.body, /event: error\n/);
    connection.sendControl({ type: "error", code: "x", message: "y" });
    connection.sendControl({ type: "ping" });
    connection.sendControl({ type: "load", current_load: 3 });
    await pump(() => server.state.workers[0]!.reportedLoad === 3);
    connection.sendControl({ type: "drain" });
    await pump(() => server.state.workers[0]!.models.length === 0);
  });
});

test("W11: a character that two reads share and an answer of 14 MiB reach the client of a Rust server", async () => {
  await withRustServer(async ({ worker, ask, request, pump }) => {
    const client = ask(STREAM);
    const exchange = await request();
    const euro = bytes("data: \u20ac\n\n");
    worker.connection.sendResponse(exchange, EVENTS);
    worker.connection.sendData(exchange, euro.subarray(0, 7));
    worker.connection.sendData(exchange, euro.subarray(7));
    worker.connection.sendEnd(exchange);
    await pump(() => client.answer);
    assert.equal(client.answer!.body, "data: \u20ac\n\n");
    const long = ask(PLAIN);
    const second = await request();
    worker.connection.sendResponse(second, { status: 200, headers: [] });
    for (let count = 0; count < 14; count++)
      worker.connection.sendData(second, new Uint8Array(1024 * 1024).fill(0x61));
    worker.connection.sendEnd(second);
    await pump(() => long.answer);
    assert.equal(long.answer!.body.length, 14 * 1024 * 1024);
  });
});

test("S14: a Rust worker that falls over is seen by its socket alone", async () => {
  const probe = await RelayProbe.start();
  const split = Buffer.concat([chunkedBytes("200 OK", SSE, [new Uint8Array([0xe2])], true), chunkBytes("x")]);
  const backend = await BackendProbe.start({ "*": (socket) => socket.write(split) });
  const worker = new RustWorker({ proxyUrl: probe.url, backendUrl: backend.url, workerSecret: "s" });
  try {
    const socket = await probe.worker();
    const relay = relayEnd();
    const { messages } = relay.open({ streaming: true });
    for (const message of messages) socket.send(message);
    assert.deepEqual(await socket.closed(), { code: 1006, reason: "" });
    assert.deepEqual(
      relay.events.map(({ type }) => type),
      ["started"],
    );
    assert.equal(worker.drops.length, 1);
  } finally {
    worker.stop();
    probe.stop();
    backend.stop();
  }
});
