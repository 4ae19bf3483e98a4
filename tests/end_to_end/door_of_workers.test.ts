import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { endRelay, startRelay, workersOf } from "../support/admin_view.ts";
import { type RelayProgram, WorkerProgram } from "../support/program.ts";
import { RawBackend } from "../support/raw_backend.ts";
import { ask, RawClient, requestText } from "../support/raw_client.ts";
import { failureCode } from "../support/raw_client_response.ts";
import { ScriptedWorker } from "../support/scripted_worker.ts";
import { OURS, WorkerSocket } from "../support/scripted_worker_socket.ts";

/** Workers come in by their secrets, and are told why when they do not. */

const folder = mkdtempSync(join(tmpdir(), "signalbox-door-"));
const config = join(folder, "serve.toml");

/** Knock as our worker does, and see the status. */
async function knock(relay: RelayProgram, headers: Record<string, string>, query = "") {
  const upgrade = {
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
  };
  const path = `/v1/worker/connect${query}`;
  await using client = await RawClient.sends(
    relay.port,
    requestText({ method: "GET", path, headers: { ...upgrade, ...headers } }),
  );
  await client.receives("\r\n\r\n");
  const upgraded = client.received.startsWith("HTTP/1.1 101 ");
  if (upgraded) return { status: 101, headers: new Map<string, string>(), body: "{}", complete: true };
  return await client.response();
}

let relay: RelayProgram;

before(async () => {
  writeFileSync(
    config,
    `worker_secret = [
  "first-secret",
  "second-secret",
  { secret = "bound-to-provider", provider = "gpu" },
  { secret = "bound-to-models", models = ["a", "b"] },
]
`,
  );
  relay = await startRelay([`--config=${config}`]);
});

after(async () => {
  rmSync(folder, { recursive: true });
  await endRelay(relay);
});

test("one secret can replace another: both are good meanwhile", async () => {
  for (const secret of ["first-secret", "second-secret"]) {
    await using worker = await ScriptedWorker.connect(relay.url, { secret });
    assert.equal(worker.ack.type, "register_ack");
  }
});

test("a secret may come in the query", async () => {
  await using _worker = await ScriptedWorker.connect(relay.url, { query: "?worker_secret=first-secret" });
});

test("the header goes before the query", async () => {
  const socket = await WorkerSocket.open(relay.url, {
    headers: { "x-worker-secret": "wrong" },
    query: "?worker_secret=first-secret",
  });
  assert.equal((await socket.ended()).code, 1008);
});

test("a secret that is bound to a provider is good for its variants, and for no other", async () => {
  await using worker = await ScriptedWorker.connect(relay.url, {
    secret: "bound-to-provider",
    query: "?provider=gpu",
  });
  const [report] = await workersOf(relay);
  assert.deepEqual([report?.provider, report?.worker_id], ["gpu", worker.ack.worker_id]);
  await using variant = await ScriptedWorker.connect(relay.url, {
    secret: "bound-to-provider",
    query: "?provider=gpu%2F4090",
  });
  assert.equal(variant.ack.type, "register_ack");
  const socket = await WorkerSocket.open(relay.url, {
    headers: { "x-worker-secret": "bound-to-provider" },
    query: "?provider=other",
  });
  assert.deepEqual(await socket.ended(), { code: 1008, reason: "worker authentication failed" });
});

test("a secret that is bound to models serves no others, nor every one", async () => {
  for (const [models, served] of [
    [["a", "z"], ["a"]],
    [["*"], ["a", "b"]],
  ]) {
    await using worker = await ScriptedWorker.connect(relay.url, {
      secret: "bound-to-models",
      register: { models },
    });
    assert.deepEqual(worker.ack.models, served);
    worker.link.sendControl({ type: "models_update", models: ["*", "b"], current_load: 0 });
    const [report] = await workersOf(relay);
    assert.deepEqual(report?.models.includes("*"), false);
  }
});

for (const [name, query] of [
  ["provider", "?provider=a&provider=b"],
  ["worker_secret", "?worker_secret=first-secret&worker_secret=first-secret"],
]) {
  test(`a duplicated ${name} in the query is a 400`, async () => {
    for (const headers of [OURS, {}, { "x-worker-secret": "first-secret" }]) {
      const response = await knock(relay, headers, query);
      assert.deepEqual([response.status, failureCode(response)], [400, "bad_request"]);
    }
  });
}

test("link_auth_failed: no secret, before the upgrade for our worker", async () => {
  const response = await knock(relay, OURS);
  assert.deepEqual([response.status, failureCode(response)], [401, "link_auth_failed"]);
});

test("no secret, with a reason after the upgrade for ModelRelay's worker", async () => {
  const socket = await WorkerSocket.open(relay.url, { headers: {} });
  assert.deepEqual(await socket.ended(), { code: 1008, reason: "worker authentication failed" });
});

test("an upgrade that is none is a 400", async () => {
  const secret = { "x-worker-secret": "first-secret" };
  const { status } = await ask(relay.port, { method: "GET", path: "/v1/worker/connect", headers: secret });
  assert.equal(status, 400);
  const headers = { ...secret, connection: "Upgrade", upgrade: "websocket" };
  const half = await ask(relay.port, { method: "GET", path: "/v1/worker/connect", headers });
  assert.deepEqual([half.status, failureCode(half)], [400, "bad_request"]);
});

for (const [name, message] of [
  ["another protocol version", registerAs({ protocol_version: "2027-01-bridge-v2" })],
  ["no register at all", JSON.stringify({ type: "pong", current_load: 0 })],
  ["bytes", new Uint8Array([1, 2, 3])],
  ["no JSON", "hello"],
  ["a register without models", registerAs({ models: undefined })],
  ["slots that are no number", registerAs({ max_concurrent: "many" })],
] as const) {
  test(`the first message is ${name}: closed with 1002`, async () => {
    const socket = await WorkerSocket.open(relay.url, {
      headers: { ...OURS, "x-worker-secret": "first-secret" },
    });
    socket.send(message);
    assert.deepEqual(await socket.ended(), { code: 1002, reason: "worker registration protocol error" });
    assert.deepEqual(await workersOf(relay), []);
  });
}

function registerAs(change: object): string {
  return JSON.stringify({ type: "register", worker_name: "w", models: ["m"], max_concurrent: 1, ...change });
}

test("wrong secrets are limited by address: 401 then 429, 1008 for ModelRelay's worker", async () => {
  await using relay = await startRelay(["--worker-secret=right"]);
  const wrong = { "x-worker-secret": "wrong" };
  for (let guess = 1; guess <= 10; guess++) {
    const response = await knock(relay, { ...OURS, ...wrong });
    assert.deepEqual([response.status, failureCode(response)], [401, "link_auth_failed"]);
  }
  const limited = await knock(relay, { ...OURS, "x-worker-secret": "right" });
  assert.deepEqual([limited.status, failureCode(limited)], [429, "too_many_attempts"]);
  assert.ok(Number(limited.headers.get("retry-after")) >= 1);
  const socket = await WorkerSocket.open(relay.url, { headers: wrong });
  const reason = "worker authentication temporarily rate limited";
  assert.deepEqual(await socket.ended(), { code: 1008, reason });
});

test("our worker says that its secret is wrong, and tries again", async () => {
  await using relay = await startRelay(["--worker-secret=right"]);
  await using worker = new WorkerProgram(["worker", "--proxy-url", relay.url, "--models=m"], {
    env: { WORKER_SECRET: "wrong", BACKEND_URL: "http://127.0.0.1:1" },
  });
  await worker.says(/refuses the worker secret/);
  assert.equal(worker.child.exitCode, null);
});

test("a relay with a secret takes its own worker", async () => {
  await using backend = await RawBackend.start((request) => request.reply(200, "hello"));
  await using relay = await startRelay(["--worker-secret=right"]);
  await using _worker = await WorkerProgram.start(relay.url, backend.url, ["--models=m"], {
    env: { WORKER_SECRET: "right" },
  });
  assert.equal((await ask(relay.port, { body: { model: "m" } })).body, "hello");
});

test("too_many_workers: more handshakes in a second than the relay takes", async () => {
  await using relay = await startRelay(["--max-worker-handshakes=1"]);
  const answers = await Promise.all([1, 2, 3].map(() => knock(relay, OURS)));
  const refused = answers.filter(({ status }) => status === 503);
  assert.ok(refused.length >= 1, JSON.stringify(answers));
  assert.equal(failureCode(refused[0]!), "too_many_workers");
});
