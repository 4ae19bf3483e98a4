import assert from "node:assert/strict";
import { createServer, type Socket } from "node:net";
import { test } from "node:test";
import { Http1Client } from "../../shared/http1/client.ts";
import { runtime } from "../../shared/runtime/current.ts";
import { Capacity } from "../../worker/capacity.ts";
import { Session } from "../../worker/session.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { HttpProbe, until } from "../support/modelrelay/probe.ts";
import { RustServer } from "../support/modelrelay/rust_server.ts";
import { acceptKey, WebSocketEnd } from "../support/modelrelay/web_socket.ts";

/** What our worker does at ModelRelay's server as minutes pass: real sockets, and a clock that is not. */

const PONG_INTERVAL_MS = 10_000;
const CHAT = { method: "POST", path: "/v1/chat/completions", body: '{"model":"m"}' };

/** Our worker's session; its backend is not there. */
async function openSession(relayUrl: string, clock: FakeClock) {
  const capacity = new Capacity(1);
  const session = await Session.open({
    relayUrl,
    provider: "local",
    secret: "s",
    connectTimeoutMs: 5000,
    runtime,
    clock,
    backend: {
      origin: { host: "127.0.0.1", port: 1 },
      basePath: "",
      client: new Http1Client({ runtime, clock }),
      prefixes: [],
      capacity,
    },
    registration: () => ({
      workerName: "w",
      models: ["m"],
      maxConcurrency: 1,
      endpointPrefixes: [],
      session: "one",
      currentLoad: capacity.inFlight,
      labels: {},
      plain: false,
    }),
    events: { registered() {}, refreshModels() {}, relayDrains() {} },
  });
  return { session, capacity };
}

async function startServer() {
  const clock = new FakeClock();
  const server = await RustServer.start({ workerSecret: "s", clock });
  let pongs = 0;
  const report = server.state.report.bind(server.state);
  server.state.report = (worker, load) => {
    pongs++;
    report(worker, load);
  };
  return { clock, server, pongs: () => pongs, [Symbol.dispose]: () => server.kill() };
}

test("W8: a request that was queued before the worker came is dispatched by the pong behind its register", async () => {
  using stage = await startServer();
  const client = new HttpProbe(stage.server.url, CHAT);
  await until(() => stage.server.state.queueDepth === 1);
  const { session } = await openSession(stage.server.url, stage.clock);
  assert.equal((await client.whole()).status, 502);
  session.terminate();
});

test("W8: a request that was queued over a load that is gone is dispatched by the next pong", async () => {
  using stage = await startServer();
  const { clock, server } = stage;
  const { session, capacity } = await openSession(server.url, clock);
  await until(() => stage.pongs() === 1);
  // The other relay's request.
  capacity.take();
  clock.advance(PONG_INTERVAL_MS);
  await until(() => server.state.workers[0]!.reportedLoad === 1);
  const client = new HttpProbe(server.url, CHAT);
  await until(() => server.state.queueDepth === 1);
  capacity.release();
  clock.advance(PONG_INTERVAL_MS);
  assert.equal((await client.whole()).status, 502);
  session.terminate();
});

test("W9: ten quiet minutes with ModelRelay's server end nothing, and it never has to ping", async () => {
  using stage = await startServer();
  const { session } = await openSession(stage.server.url, stage.clock);
  let ended = false;
  session.ended.then(() => {
    ended = true;
  });
  await until(() => stage.pongs() === 1);
  for (let round = 1; round <= 60; round++) {
    stage.clock.advance(PONG_INTERVAL_MS);
    await until(() => stage.pongs() === 1 + round);
  }
  assert.deepEqual([ended, stage.server.state.workers.length], [false, 1]);
  session.terminate();
});

/** Takes a worker in and then says and hears nothing, as a machine that hangs. */
async function startMute() {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("data", (bytes) => {
      const key = /sec-websocket-key: *(\S+)/i.exec(bytes.toString())![1]!;
      const upgrade = ["HTTP/1.1 101 Switching Protocols", "Connection: Upgrade", "Upgrade: websocket"];
      socket.write([...upgrade, `Sec-WebSocket-Accept: ${acceptKey(key)}`, "", ""].join("\r\n"));
      const nothing = () => {};
      const end = new WebSocketEnd(socket, {
        role: "server",
        handlers: { text: nothing, binary: nothing, gone: nothing },
      });
      end.sendText('{"type":"register_ack","worker_id":"worker-1","models":["m"]}');
      socket.pause();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  const stop = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { url, [Symbol.dispose]: stop };
}

test("W9: a server that hangs is left after 45 s without a pong of its socket", async () => {
  using mute = await startMute();
  const clock = new FakeClock();
  const { session } = await openSession(mute.url, clock);
  await until(() => session.form === "plain");
  for (let round = 1; round <= 5; round++) clock.advance(PONG_INTERVAL_MS);
  assert.equal((await session.ended).code, 1006);
});
