import assert from "node:assert/strict";
import { FakeClock } from "./fake_clock.ts";
import { call, HttpProbe, quiet, shown, until } from "./modelrelay/probe.ts";
import type { RustServer } from "./modelrelay/rust_server.ts";
import { CHAT, chunk, complete, post, register, STREAMED, serverReplay } from "./modelrelay/server_replay.ts";
import { withoutDate } from "./modelrelay/transcript.ts";

const { block, checkComplete } = serverReplay("queue");

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

checkComplete({
  "dispatch latency idle (20x)": "a measurement; the cadence of 25 ms behind it is the stand-in's too",
});
