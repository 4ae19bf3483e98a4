import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { test } from "node:test";
import { Fleet, type FleetWorker } from "../../server/fleet.ts";
import { Hub } from "../../server/hub/hub.ts";
import type { WorkerLink } from "../../server/hub/worker_connection.ts";
import { WorkerDoor } from "../../server/hub/worker_door.ts";
import { AuthLimiter } from "../../server/keys/auth_limiter.ts";
import { WorkerSecrets } from "../../server/keys/worker_secrets.ts";
import { runtime } from "../../shared/runtime/current.ts";
import type { WorkerSecret } from "../../shared/settings/secrets.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { connectWorker, type SocketProbe, until } from "../support/modelrelay/probe.ts";
import { BackendProbe, chunkBytes, openChunkedBytes } from "../support/modelrelay/probe_server.ts";
import { RustWorker } from "../support/modelrelay/rust_worker.ts";

/** What the relay's hub does with ModelRelay's workers as minutes pass: real sockets, and a clock that is not. */

const PING_INTERVAL_MS = 15_000;
const NEVER = { registered() {}, closed() {}, broke() {}, complained() {}, fault() {} };

/** Counts reports of load: each is an answer to a ping. */
class CountingFleet extends Fleet<WorkerLink> {
  reports = 0;

  override reportLoad(worker: FleetWorker<WorkerLink>, load: number): void {
    this.reports++;
    super.reportLoad(worker, load);
  }
}

/** A hub on a port of its own, in this process. */
async function startHub(secrets: WorkerSecret[] = []) {
  const clock = new FakeClock();
  const fleet = new CountingFleet({ clock });
  const door = new WorkerDoor({
    secrets: new WorkerSecrets(secrets),
    limiter: new AuthLimiter(clock),
    clock,
    defaultProvider: "local",
    handshakesPerSecond: 1000,
  });
  const hub = new Hub({ fleet, door, clock, randomId: () => crypto.randomUUID(), events: NEVER });
  const listener = await runtime.listen({
    hostname: "127.0.0.1",
    port: 0,
    maxRequestBodyBytes: 1024,
    maxMessageBytes: 64 * 1024 * 1024,
    handle: (request, context) => hub.connect(request, context),
  });
  const workers = () => [...fleet.snapshot().present.workers] as FleetWorker<WorkerLink>[];
  return {
    clock,
    fleet,
    workers,
    url: `http://127.0.0.1:${listener.port}`,
    [Symbol.asyncDispose]: () => listener.stop(true),
  };
}

async function register(url: string, name = "worker"): Promise<SocketProbe> {
  const socket = await connectWorker(url);
  socket.send({ type: "register", worker_name: name, models: ["m"], max_concurrent: 1 });
  assert.match(await socket.next(), /"register_ack"/);
  return socket;
}

const pong = (socket: SocketProbe) => socket.send({ type: "pong", current_load: 0 });

test("S5: a stream of three minutes is not cut, as its worker is pinged while it streams", async () => {
  await using hub = await startHub();
  const { clock, fleet } = hub;
  let stream: Socket | undefined;
  const begin = openChunkedBytes("200 OK", ["content-type: text/event-stream"], ["data: 0\n\n"]);
  const backend = await BackendProbe.start({
    "*": (socket) => {
      stream = socket;
      socket.write(begin);
    },
  });
  const options = { proxyUrl: hub.url, backendUrl: backend.url, workerSecret: "s", clock };
  const rust = new RustWorker(options);
  await until(() => hub.workers().length === 1);
  let received = "";
  const { link } = hub.workers()[0]!.link;
  const head = { method: "POST", target: "/v1/x", headers: [], streaming: true, upgrade: false, model: "m" };
  link.openExchange(
    { ...head, hasBody: false },
    {
      data: (bytes) => {
        received += new TextDecoder().decode(bytes);
      },
      end() {},
      reset() {},
    },
  );
  await until(() => received === "data: 0\n\n");
  for (let round = 1; round <= 12; round++) {
    clock.advance(PING_INTERVAL_MS);
    stream!.write(chunkBytes(`data: ${round}\n\n`));
    await until(() => received.endsWith(`data: ${round}\n\n`) && fleet.reports === round);
  }
  assert.deepEqual([rust.registered, rust.drops], [1, []]);
  rust.stop();
  backend.stop();
});

test("a worker is pinged every 15 s, and its answers say how busy it is", async () => {
  await using hub = await startHub();
  const socket = await register(hub.url);
  for (let round = 1; round <= 5; round++) {
    hub.clock.advance(PING_INTERVAL_MS - 1);
    assert.deepEqual(round === 1 ? await socket.unread() : [], []);
    hub.clock.advance(1);
    assert.equal(await socket.next(), '{"type":"ping"}');
    socket.send({ type: "pong", current_load: round });
    await until(() => hub.workers()[0]!.reportedLoad === round);
  }
});

test("12 stale_workers_are_expired_after_the_pong_window: gone after 45 s of silence, told as by ModelRelay", async () => {
  await using hub = await startHub();
  const socket = await register(hub.url);
  for (let round = 1; round <= 2; round++) {
    hub.clock.advance(PING_INTERVAL_MS);
    await socket.next();
  }
  assert.equal(hub.workers().length, 1);
  hub.clock.advance(PING_INTERVAL_MS);
  await until(() => hub.workers().length === 0);
  assert.deepEqual(await socket.closed(), { code: 1000, reason: "worker heartbeat timed out" });
});

test("of two workers with one name the older is asked, and goes within 5 s when it does not answer", async () => {
  await using hub = await startHub();
  const older = await register(hub.url);
  const newer = await register(hub.url);
  assert.equal(await older.next(), '{"type":"ping"}');
  hub.clock.advance(4_999);
  assert.equal(hub.workers().length, 2);
  hub.clock.advance(1);
  assert.equal((await older.closed()).reason, "worker heartbeat timed out");
  await until(() => hub.workers().length === 1);
  assert.equal(newer.end, undefined);
});

test("of two workers with one name the older stays when it answers", async () => {
  await using hub = await startHub();
  const older = await register(hub.url);
  await register(hub.url);
  await older.next();
  pong(older);
  await until(() => hub.fleet.reports === 1);
  hub.clock.advance(10_000);
  assert.equal(hub.workers().length, 2);
  assert.equal(older.end, undefined);
});

// The first question's time used to run out for the second one, which had just been asked.
test("of three workers with one name the oldest has its 5 s for each question", async () => {
  await using hub = await startHub();
  const oldest = await register(hub.url);
  await register(hub.url);
  await oldest.next();
  pong(oldest);
  await until(() => hub.fleet.reports === 1);
  hub.clock.advance(4_990);
  await register(hub.url);
  await oldest.next();
  hub.clock.advance(4_999);
  assert.equal(hub.workers().length, 3);
  assert.equal(oldest.end, undefined);
  hub.clock.advance(1);
  assert.equal((await oldest.closed()).reason, "worker heartbeat timed out");
});

test("a socket that does not register is closed after 10 s", async () => {
  await using hub = await startHub();
  const socket = await connectWorker(hub.url);
  hub.clock.advance(9_999);
  assert.deepEqual(await socket.unread(), []);
  assert.equal(socket.end, undefined);
  hub.clock.advance(1);
  assert.deepEqual(await socket.closed(), { code: 1002, reason: "worker registration protocol error" });
});

const REFUSED = { code: 1008, reason: "worker authentication failed" };
const LIMITED = { code: 1008, reason: "worker authentication temporarily rate limited" };

test("32 33 failed attempts are limited by address, and one comes back each six seconds", async () => {
  await using hub = await startHub([{ secret: "right" }]);
  const end = async (secret: string) => await (await connectWorker(hub.url, { secret })).closed();
  for (let guess = 1; guess <= 10; guess++) assert.deepEqual(await end("wrong"), REFUSED);
  assert.deepEqual(await end("right"), LIMITED);
  hub.clock.advance(5_999);
  assert.deepEqual(await end("right"), LIMITED);
  hub.clock.advance(1);
  const socket = await connectWorker(hub.url, { secret: "right" });
  socket.send({ type: "register", worker_name: "w", models: ["m"], max_concurrent: 1 });
  assert.match(await socket.next(), /"register_ack"/);
});

test("35 unknown_or_disabled_providers_are_rejected_before_register: ours by a secret that is bound to others", async () => {
  await using hub = await startHub([{ secret: "bound", provider: "gpu" }]);
  for (const query of ["?provider=other", "?provider=gpu2", ""]) {
    const socket = await connectWorker(hub.url, { secret: "bound", query });
    assert.deepEqual(await socket.closed(), REFUSED, query);
  }
  const socket = await connectWorker(hub.url, { secret: "bound", query: "?provider=gpu" });
  socket.send({ type: "register", worker_name: "w", models: ["m"], max_concurrent: 1 });
  assert.match(await socket.next(), /"register_ack"/);
});
