import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "./fake_clock.ts";
import { quiet, type SocketProbe, until } from "./modelrelay/probe.ts";
import { RelayProbe } from "./modelrelay/probe_server.ts";
import { RustWorker } from "./modelrelay/rust_worker.ts";
import { BLOCKS, REGISTER, request, STREAM, type Stage, workerReplay } from "./modelrelay/worker_replay.ts";

const { blocks, checkComplete } = workerReplay("drops");

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

checkComplete();

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
