import assert from "node:assert/strict";
import { test } from "node:test";
import { startRelay, workersOf, workersWhen } from "../support/admin_view.ts";
import { formFlag, LINK_FORM } from "../support/link_form.ts";
import { WorkerProgram } from "../support/program.ts";
import { RawBackend } from "../support/raw_backend.ts";
import { RawClient, requestText } from "../support/raw_client.ts";
import { failureCode } from "../support/raw_client_response.ts";
import { ScriptedRelay } from "../support/scripted_relay.ts";
import { ScriptedWorker } from "../support/scripted_worker.ts";
import { until } from "../support/until.ts";

/** What a worker and its relays tell each other, and one worker at several relays. */

const CHAT = requestText({ body: { model: "m", stream: true } });

/** A worker at two relays. */
async function atTwo(slots: number) {
  const backend = await RawBackend.start();
  const relays = await Promise.all([startRelay(), startRelay()]);
  const urls = relays.map(({ url }) => url).join(",");
  const worker = await WorkerProgram.start(urls, backend.url, ["--models=m", `--max-concurrency=${slots}`]);
  for (const relay of relays) await workersWhen(relay, (workers) => workers.length === 1);
  return {
    backend,
    relays,
    worker,
    async [Symbol.asyncDispose]() {
      await worker.kill();
      for (const relay of relays) await relay.kill();
      await backend[Symbol.asyncDispose]();
    },
  };
}

test("several relays share a worker's slots, and both are served", async () => {
  await using set = await atTwo(5);
  const slots = await Promise.all(
    set.relays.map(async (relay) => (await workersOf(relay))[0]!.max_concurrent),
  );
  assert.deepEqual(slots, [3, 2]);
  const clients = await Promise.all(set.relays.map(({ port }) => RawClient.sends(port, CHAT)));
  for (const _ of clients) (await set.backend.next()).reply(200, "done");
  for (const client of clients) assert.equal((await client.response()).body, "done");
});

test("worker_refused: more relays than slots, and the slot is taken", async () => {
  await using set = await atTwo(1);
  const [first, second] = set.relays;
  await using holder = await RawClient.sends(first!.port, CHAT);
  const held = await set.backend.next();
  await using client = await RawClient.sends(second!.port, CHAT);
  const response = await client.response();
  assert.deepEqual([response.status, failureCode(response)], [503, "worker_refused"]);
  assert.ok(Number(response.headers.get("retry-after")) >= 1);
  held.reply(200, "done");
  assert.equal((await holder.response()).body, "done");
  await using again = await RawClient.sends(second!.port, CHAT);
  (await set.backend.next()).reply(200, "now");
  assert.equal((await again.response()).body, "now");
});

test("a relay that dies takes nothing of the others with it, and is dialled again", async () => {
  await using set = await atTwo(2);
  const [first, second] = set.relays;
  await using client = await RawClient.sends(second!.port, CHAT);
  const request = (await set.backend.next()).startStream();
  request.chunk("data: 1\n\n");
  await client.receives("data: 1");
  await first!.kill();
  request.chunk("data: 2\n\n");
  await client.receives("data: 2");
  await using successor = await startRelay(["--listen", `127.0.0.1:${first!.port}`]);
  await workersWhen(successor, (workers) => workers.length === 1);
  request.lastChunk();
  assert.equal((await client.response()).complete, true);
});

for (const [what, breach] of [
  ["garbage", new Uint8Array([1, 2, 3])],
  ["no JSON", "hello"],
  ["a message over its limit", new Uint8Array(2_000_000)],
  ["a message that workers send", '{"type":"load","current_load":0}'],
] as const) {
  test(`a relay that sends ${what} is left, and dialled again`, async () => {
    await using backend = await RawBackend.start();
    await using relay = await ScriptedRelay.start();
    // Binary messages mean nothing on a plain link: there they are ignored.
    const flags = ["--models=m", ...(typeof breach === "string" ? [] : [formFlag("framed")])];
    await using _worker = await WorkerProgram.start(relay.url, backend.url, flags);
    const link = await relay.worker();
    const answer = link.ask({ method: "PATCH" });
    const request = await backend.next();
    link.socket.send(breach);
    await until(() => link.end !== undefined, "the worker closes the link");
    assert.equal(link.end!.code, 1002);
    assert.equal(answer.wasReset, "link_lost");
    await request.isLeft();
    await relay.worker(1);
  });
}

test("a worker registers with what it was told", async () => {
  await using relay = await ScriptedRelay.start();
  const flags = [
    "--models=a,b",
    "--worker-name=gpu-1",
    "--max-concurrency=7",
    "--endpoint-prefixes=/v1,/api",
  ];
  await using _worker = await WorkerProgram.start(relay.url, "http://127.0.0.1:1", flags);
  const { session, ...register } = (await relay.worker()).register!;
  assert.deepEqual(register, {
    type: "register",
    worker_name: "gpu-1",
    models: ["a", "b"],
    max_concurrent: 7,
    protocol_version: "2026-04-bridge-v1",
    current_load: 0,
    endpoint_prefixes: ["/v1", "/api"],
    features: LINK_FORM === "plain" ? ["method", "head"] : ["framed.1", "method", "head"],
  });
  assert.ok(session);
});

test("a worker serves its own paths only, whatever a relay sends", async () => {
  await using backend = await RawBackend.start();
  await using relay = await ScriptedRelay.start();
  const flags = ["--models=m", "--endpoint-prefixes=/v1"];
  await using _worker = await WorkerProgram.start(relay.url, backend.url, flags);
  const link = await relay.worker();
  for (const target of ["/api/tags", "/", "/v1x", "/V1/models", "/v1/../api", "/v1/%2e%2e/api", "//v1"]) {
    const answer = await link.ask({ target }).isOver();
    assert.equal(answer.head?.status, 404, target);
    assert.equal(JSON.parse(answer.body.toString()).error.code, "no_eligible_worker", target);
    // Over a plain link it is taken for started when it is sent.
    assert.equal(answer.wasStarted, LINK_FORM === "plain");
  }
  assert.equal(backend.requests.length, 0);
  for (const target of ["/v1", "/v1/models?x=/api", "/v1/a/b"]) {
    const answer = link.ask({ target });
    const request = await backend.next();
    assert.equal(request.target, target);
    request.reply(200, "served");
    assert.equal((await answer.isOver()).body.toString(), "served");
  }
});

test("no_eligible_worker: a path that no worker serves", async () => {
  await using backend = await RawBackend.start();
  await using relay = await startRelay();
  const flags = ["--models=m", "--endpoint-prefixes=/v1", "--provider=gpu"];
  await using _worker = await WorkerProgram.start(relay.url, backend.url, flags);
  await using client = await RawClient.sends(
    relay.port,
    requestText({ path: "/api/chat", body: { model: "m" } }),
  );
  const response = await client.response();
  assert.deepEqual([response.status, failureCode(response)], [404, "no_eligible_worker"]);
  assert.equal(backend.requests.length, 0);
});

test("the relay echoes prefixes as it understood them", async () => {
  await using relay = await startRelay();
  await using worker = await ScriptedWorker.connect(relay.url, {
    register: { endpoint_prefixes: ["/v1/", "/v1", " /api ", "no-slash"] },
  });
  assert.deepEqual(worker.ack.endpoint_prefixes, (await workersOf(relay))[0]!.endpoint_prefixes);
  assert.ok(worker.ack.endpoint_prefixes!.includes("/v1"));
  await using old = await ScriptedWorker.connect(relay.url);
  assert.equal("endpoint_prefixes" in old.ack, false);
});

test("the operator sees provider, prefixes, labels, the form of the link and the peer", async () => {
  await using relay = await startRelay(["--provider=house"]);
  const labels = { price: { prompt: 0.1 }, zdr: true };
  await using _one = await ScriptedWorker.connect(relay.url, {
    form: "framed",
    query: "?provider=gpu",
    register: {
      worker_name: "one",
      endpoint_prefixes: ["/v1"],
      labels,
      max_concurrent: 4,
      models: ["a", "b"],
    },
  });
  await using _two = await ScriptedWorker.connect(relay.url, {
    form: "plain",
    register: { worker_name: "two" },
  });
  const [one, two] = await workersOf(relay);
  assert.deepEqual(
    [one!.worker_name, one!.provider, one!.endpoint_prefixes, one!.labels, one!.link_form, one!.peer],
    ["one", "gpu", ["/v1"], labels, "framed", "127.0.0.1"],
  );
  assert.deepEqual([one!.models, one!.max_concurrent, one!.in_flight_count], [["a", "b"], 4, 0]);
  assert.deepEqual(
    [two!.worker_name, two!.provider, two!.link_form, two!.labels],
    ["two", "house", "plain", {}],
  );
});

test("a worker that comes back with its session replaces its old link", async () => {
  await using relay = await startRelay();
  const register = { session: "a-process" };
  await using old = await ScriptedWorker.connect(relay.url, { register });
  await using client = await RawClient.sends(
    relay.port,
    requestText({ path: "/v1/files", body: { model: "m" } }),
  );
  (await old.next()).start();
  old.link.flush();
  await until(() => old.requests.length === 1, "the request is with the old link");
  await using _again = await ScriptedWorker.connect(relay.url, { register });
  await old.socket.ended(1000);
  const response = await client.response();
  assert.deepEqual([response.status, failureCode(response)], [502, "worker_lost"]);
  await workersWhen(relay, (workers) => workers.length === 1);
});
