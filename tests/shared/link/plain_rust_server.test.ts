import assert from "node:assert/strict";
import { test } from "node:test";
import type { LinkResponseHead } from "../../../shared/link/events.ts";
import { connectWorker, HttpProbe, type SocketProbe, until } from "../../support/modelrelay/probe.ts";
import { RustServer } from "../../support/modelrelay/rust_server.ts";
import { bytes, pump, workerEnd } from "./plain_ends.ts";

/** The worker's end against the stand-in of ModelRelay's server, over a real socket. */

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
