import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "./fake_clock.ts";
import { call, connectWorker, HttpProbe, quiet, type SocketProbe, until } from "./modelrelay/probe.ts";
import { RustServer, type RustServerOptions } from "./modelrelay/rust_server.ts";
import { MAX_FRAME_BYTES, OPCODE } from "./modelrelay/web_socket.ts";

/** Rules of the real server that its recording does not show. */

const PATH = "/v1/chat/completions";

async function play(
  options: RustServerOptions,
  act: (stage: {
    server: RustServer;
    join(more?: object, query?: string): Promise<SocketProbe>;
    ask(model?: string): HttpProbe;
  }) => Promise<void>,
): Promise<void> {
  const server = await RustServer.start({ workerSecret: "s", apiKeys: ["key"], ...options });
  try {
    await act({
      server,
      async join(more = {}, query = "?provider=local") {
        const worker = await connectWorker(server.url, {
          secret: query.includes("local") ? "s" : "key",
          query,
        });
        worker.send({ type: "register", worker_name: "w", models: ["m"], max_concurrent: 9, ...more });
        await worker.next();
        return worker;
      },
      ask: (model = "m") =>
        new HttpProbe(server.url, { method: "POST", path: PATH, body: JSON.stringify({ model }) }),
    });
  } finally {
    server.kill();
  }
}

test("equal loads take turns, the lowest absolute load wins, a foreign provider only in need", () =>
  play({}, async ({ server, join, ask }) => {
    await join({ current_load: 1 });
    await join();
    await join();
    await join({}, "?provider=other");
    const loads = () => server.state.workers.map(({ inFlight }) => inFlight.size);
    for (const expected of [
      [0, 1, 0, 0],
      [0, 1, 1, 0],
      [1, 1, 1, 0],
    ]) {
      ask();
      await until(() => loads().join() === expected.join(), expected.join());
    }
    server.state.workers[0]!.draining = true;
    server.state.workers[1]!.models = ["x"];
    server.state.workers[2]!.reportedLoad = 9;
    ask();
    await until(() => loads().join() === "1,1,1,1");
  }));

test("a completion dispatches one request, the oldest that fits", () =>
  play({}, async ({ server, join, ask }) => {
    const worker = await join({ max_concurrent: 1, models: ["*"] });
    ask("a");
    const first = JSON.parse(await worker.next());
    ask("b");
    await until(() => server.state.queueDepth === 1);
    ask("c");
    await until(() => server.state.queueDepth === 2);
    worker.send({ type: "response_complete", request_id: first.request_id, status_code: 200 });
    assert.equal(JSON.parse(await worker.next()).model, "b");
    assert.equal(server.state.queueDepth, 1);
  }));

test("a request that has lost four workers is failed", () =>
  play({}, async ({ server, join, ask }) => {
    const client = ask();
    await until(() => server.state.queueDepth === 1);
    for (let count = 0; count < 4; count++) {
      const worker = await join();
      worker.send({ type: "pong", current_load: 0 });
      await worker.next();
      worker.socket.drop();
      await until(() => server.state.workers.length === 0);
    }
    const { status, body } = await client.whole();
    assert.deepEqual([status, body], [503, "Request could not be processed after multiple attempts\n"]);
  }));

test("a drained worker is closed when it is idle, at once or after its last answer", () =>
  play({}, async ({ server, join, ask }) => {
    const idle = await join();
    server.session("worker-1").drain(0.5, "x");
    assert.equal(await idle.next(), '{"type":"graceful_shutdown","reason":"x","drain_timeout_secs":1}');
    assert.deepEqual(await idle.closed(), { code: 1000, reason: "graceful shutdown complete" });
    const busy = await join();
    const client = ask();
    const { request_id } = JSON.parse(await busy.next());
    server.session("worker-2").drain(30);
    assert.equal(await busy.next(), '{"type":"graceful_shutdown","drain_timeout_secs":30}');
    ask();
    await until(() => server.state.queueDepth === 1);
    busy.send({ type: "response_complete", request_id, status_code: 200 });
    assert.equal((await client.whole()).status, 200);
    assert.deepEqual(await busy.closed(), { code: 1000, reason: "graceful shutdown complete" });
  }));

test("at the drain deadline what runs is failed", () => {
  const clock = new FakeClock();
  return play({ clock }, async ({ server, join, ask }) => {
    const worker = await join();
    const client = ask();
    await until(() => server.state.workers[0]!.inFlight.size === 1);
    server.session("worker-1").drain(2);
    await worker.next();
    clock.advance(2000);
    assert.equal((await client.whole()).body, "Service temporarily unavailable while workers shut down\n");
    assert.deepEqual(await worker.closed(), { code: 1000, reason: "graceful shutdown timed out" });
  });
});

test("models_refresh is passed on", () =>
  play({}, async ({ server, join }) => {
    const worker = await join();
    server.session("worker-1").refreshModels();
    assert.equal(await worker.next(), '{"type":"models_refresh"}');
  }));

test("the secret in the header wins even when it is wrong, and a window ends a lock-out", () => {
  const clock = new FakeClock();
  return play({ clock }, async ({ server }) => {
    const query = "?worker_secret=s";
    const close = async (secret: string, headers = {}) =>
      (await (await connectWorker(server.url, { secret, query, headers })).closed()).reason;
    for (let count = 0; count < 3; count++) assert.equal(await close("bad"), "worker authentication failed");
    assert.equal(await close("s"), "worker authentication temporarily rate limited");
    assert.equal(await close("bad", { "x-forwarded-for": "10.0.0.1" }), "worker authentication failed");
    clock.advance(250);
    const worker = await connectWorker(server.url, { secret: "s", query });
    await quiet();
    assert.equal(worker.end, undefined);
  });
});

test("a reserved bit or opcode ends the connection without a word", () =>
  play({}, async ({ join }) => {
    // RSV1 is what a compressed message would have.
    for (const opcode of [OPCODE.text | 0x40, OPCODE.text | 0x10, 0x03, 0x0b]) {
      const worker = await join();
      worker.socket.sendFrame(opcode);
      assert.deepEqual(await worker.closed(), { code: 1006, reason: "" }, `${opcode}`);
    }
  }));

test("a frame of 16 MiB is taken, one byte more is not", () =>
  play({}, async ({ join }) => {
    const text = (bytes: number) => {
      const head = '{"type":"pong","current_load":0,"x":"';
      return `${head}${"x".repeat(bytes - head.length - 2)}"}`;
    };
    const worker = await join();
    worker.send(text(MAX_FRAME_BYTES));
    worker.socket.sendFrame(OPCODE.ping);
    await until(() => worker.pongs.length === 1);
    worker.send(text(MAX_FRAME_BYTES + 1));
    assert.deepEqual(await worker.closed(), { code: 1006, reason: "" });
  }));

test("with required keys a client needs one, in Authorization alone", () =>
  play({ requireApiKeys: true }, async ({ server }) => {
    const reply = async (headers: Record<string, string>) =>
      (await call(server.url, { method: "POST", path: PATH, body: "{", headers })).body;
    assert.match(await reply({ "x-api-key": "key" }), /API key required/);
    assert.match(await reply({ authorization: "Bearer nokey" }), /Invalid API key/);
    assert.equal(await reply({ authorization: "Bearer key" }), "", "400 for the body: the key was taken");
  }));
