import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import type { LinkRequestHead, LinkResponseHead } from "../../../shared/link/events.ts";
import type { SocketProbe } from "../../support/modelrelay/probe.ts";
import {
  answerBytes,
  BackendProbe,
  chunkBytes,
  chunkedBytes,
  openChunkedBytes,
  RelayProbe,
} from "../../support/modelrelay/probe_server.ts";
import { RustWorker } from "../../support/modelrelay/rust_worker.ts";
import { bytes, HEAD, pump, relayEnd } from "./plain_ends.ts";

/** The relay's end against the stand-in of ModelRelay's worker, over a real socket. */

const SSE = ["content-type: text/event-stream"];

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
      socket.write(openChunkedBytes("200 OK", SSE, ["data: 1\n\n"])),
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
    socket.write(openChunkedBytes("200 OK", SSE, [":\n\n"]));
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

test("S14: a Rust worker that falls over is seen by its socket alone", async () => {
  const probe = await RelayProbe.start();
  const split = Buffer.concat([openChunkedBytes("200 OK", SSE, [new Uint8Array([0xe2])]), chunkBytes("x")]);
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
