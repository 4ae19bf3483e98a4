import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { after, before, describe, test } from "node:test";
import { endRelay, lineHas, startRelay } from "../support/admin_view.ts";
import { type RelayProgram, WorkerProgram } from "../support/program.ts";
import { RawBackend } from "../support/raw_backend.ts";
import { RawClient, type RequestText, requestText } from "../support/raw_client.ts";
import { failureCode } from "../support/raw_client_response.ts";
import { type ScriptedRequest, ScriptedWorker } from "../support/scripted_worker.ts";

/** Which requests are sent a second time, and how often: `docs`, "Re-send rules". */

let relay: RelayProgram;
let models = 0;

before(async () => {
  const limits = ["--queue-timeout=3s", "--replay-limit=1KiB", "--max-worker-handshakes=1000"];
  relay = await startRelay(limits);
});

after(async () => {
  await endRelay(relay);
});

/** Workers that share a model with nobody else, and how requests for it are sent. */
async function workersOfOneModel(count: number, form: "framed" | "plain" = "framed") {
  const model = `model-${++models}`;
  const connect = () => ScriptedWorker.connect(relay.url, { form, register: { models: [model] } });
  const workers: ScriptedWorker[] = [];
  while (workers.length < count) workers.push(await connect());
  const send = ({ headers, ...request }: RequestText) =>
    RawClient.sends(relay.port, requestText({ ...request, headers: { ...headers, "x-model": model } }));
  return { workers, connect, send };
}

/** How the first worker lets a request down. */
const FAILURES: Record<string, (request: ScriptedRequest, worker: ScriptedWorker) => unknown> = {
  "dies before it starts": (_request, worker) => worker.die(),
  "refuses it": (request) => request.exchange.reset("refused"),
  "cannot reach its backend": (request) => {
    request.start();
    request.exchange.reset("backend_unreachable");
  },
  "dies after it started": (request, worker) => {
    request.start();
    // The two leave in one message if nothing comes between: the relay must see the first.
    worker.link.flush();
    return worker.die();
  },
  "says that its backend broke off": (request) => {
    request.start();
    request.exchange.reset("backend_broke_off");
  },
  "breaks off in the message in which it began to answer": (request) => {
    request.respond(200);
    request.exchange.write(Buffer.from("the beginning"));
    request.exchange.reset("backend_broke_off");
  },
};
const BEFORE_START = Object.keys(FAILURES).slice(0, 3);
const AFTER_START = Object.keys(FAILURES).slice(3);

const REQUESTS: Record<string, RequestText> = {
  GET: { method: "GET", path: "/x?a=1" },
  HEAD: { method: "HEAD", path: "/x" },
  OPTIONS: { method: "OPTIONS", path: "/x" },
  PUT: { method: "PUT", path: "/x", body: "body" },
  "an inference POST": { path: "/v1/chat/completions", body: { messages: [] } },
  "POST /v1/responses": { path: "/v1/responses", body: { input: "x" } },
  "POST /v1/responses that stores": { path: "/v1/responses", body: { input: "x", store: true } },
  "POST /v1/responses in the background": { path: "/v1/responses", body: { background: true } },
  "another POST": { path: "/v1/files", body: "body" },
  PATCH: { method: "PATCH", path: "/x", body: "body" },
  DELETE: { method: "DELETE", path: "/x" },
};
const ONCE = new Set([
  "POST /v1/responses that stores",
  "POST /v1/responses in the background",
  "another POST",
  "PATCH",
  "DELETE",
]);

/** Send a request whose first worker fails as `failure` says, while a second one is idle. */
async function tryTwice(failure: string, request: RequestText) {
  const { workers, connect, send } = await workersOfOneModel(1);
  await using first = workers[0]!;
  await using client = await send(request);
  const held = await (await first.next()).received();
  await using second = await connect();
  second.onRequest = async (again) => again.answer(200, (await again.received()).body);
  await FAILURES[failure]!(held, first);
  const { status, body } = await client.response();
  return { status, seen: second.requests.length, body };
}

for (const failure of BEFORE_START) {
  test(`a worker ${failure}: every request is sent again`, async () => {
    for (const [name, request] of Object.entries(REQUESTS)) {
      const { status, seen } = await tryTwice(failure, request);
      assert.deepEqual([status, seen], [200, 1], name);
    }
  });
}

for (const failure of AFTER_START) {
  test(`a worker ${failure}: only what does no harm is sent again`, async () => {
    for (const [name, request] of Object.entries(REQUESTS)) {
      const { status, seen } = await tryTwice(failure, request);
      assert.deepEqual([status, seen], ONCE.has(name) ? [502, 0] : [200, 1], name);
    }
  });
}

test("a body over the replay limit is never sent again, one below it is sent whole", async () => {
  for (const failure of ["dies before it starts", "says that its backend broke off"]) {
    const body = "x".repeat(900);
    const below = await tryTwice(failure, { path: "/v1/completions", body });
    assert.deepEqual([below.status, below.body], [200, body], failure);
    const over = await tryTwice(failure, { path: "/v1/completions", body: "x".repeat(2000) });
    assert.deepEqual([over.status, over.seen], [502, 0], failure);
  }
});

test("what was answered in part is never sent again", async () => {
  const { workers, connect, send } = await workersOfOneModel(1);
  await using first = workers[0]!;
  await using client = await send({ method: "GET", path: "/x" });
  (await first.next()).respond(200);
  await client.receives("200");
  await using second = await connect();
  await first.die();
  await client.isClosed();
  assert.equal((await client.response()).complete, false);
  assert.equal(second.requests.length, 0);
});

test("a request that kills two workers is failed, not passed on", async () => {
  const { workers, send } = await workersOfOneModel(3);
  for (const worker of workers) {
    worker.onRequest = (request) => FAILURES["dies after it started"]!(request, worker);
  }
  await using client = await send({ path: "/v1/completions", body: {} });
  const response = await client.response();
  assert.deepEqual([response.status, failureCode(response)], [502, "worker_lost"]);
  assert.equal(workers.flatMap(({ requests }) => requests).length, 2);
  for (const worker of workers) await worker[Symbol.asyncDispose]();
});

test("at most three times more, and never over the same link", async () => {
  const { workers, send } = await workersOfOneModel(6);
  for (const worker of workers) worker.onRequest = (request) => request.exchange.reset("refused");
  await using client = await send({ method: "GET", path: "/x" });
  const response = await client.response();
  assert.deepEqual([response.status, failureCode(response)], [503, "worker_refused"]);
  const counts = workers.map(({ requests }) => requests.length);
  assert.deepEqual([Math.max(...counts), counts.reduce((sum, count) => sum + count)], [1, 4]);
  for (const worker of workers) await worker[Symbol.asyncDispose]();
});

test("it keeps its place: it is before those that came after it", async () => {
  const { workers, connect, send } = await workersOfOneModel(1);
  await using first = workers[0]!;
  await using client = await send({ path: "/v1/completions", body: { n: 1 } });
  await first.next();
  await using other = await send({ path: "/v1/completions", body: { n: 2 } });
  await lineHas(relay, 1);
  await first.die();
  await lineHas(relay, 2);
  await using second = await connect();
  for (const [number, waiting] of [client, other].entries()) {
    const request = await (await second.next()).received();
    assert.deepEqual(JSON.parse(request.body), { n: number + 1 });
    request.answer(200, "done");
    assert.equal((await waiting.response()).body, "done");
  }
});

test("on a plain link a request counts as started once it is sent", async () => {
  for (const [request, status] of [
    [{ path: "/v1/files", body: "body" }, 502],
    [{ path: "/v1/completions", body: "{}" }, 200],
  ] as const) {
    const { workers, connect, send } = await workersOfOneModel(1, "plain");
    await using first = workers[0]!;
    await using client = await send(request);
    await first.next();
    await using second = await connect();
    second.onRequest = (again) => again.answer(200, "again");
    await first.die();
    assert.equal((await client.response()).status, status);
  }
});

describe("a backend that reads a request and closes", () => {
  let backend: RawBackend;
  let workers: WorkerProgram[];
  let closes = false;

  before(async () => {
    backend = await RawBackend.start((seen) => {
      if (closes) void seen.receivedWhole().then(() => seen.end());
      else seen.reply(200, "warm");
    });
    const flags = ["--models=m", "--provider=raw"];
    workers = [
      await WorkerProgram.start(relay.url, backend.url, flags),
      await WorkerProgram.start(relay.url, backend.url, flags),
    ];
  });

  after(async () => {
    for (const worker of workers ?? []) await worker.kill();
    await backend?.[Symbol.asyncDispose]();
  });

  for (const [name, request, most] of [
    ["another POST", { path: "/v1/files", body: "body" }, 1],
    ["PATCH", { method: "PATCH", path: "/x", body: "body" }, 1],
    ["DELETE", { method: "DELETE", path: "/x" }, 1],
    ["an inference POST", { path: "/v1/completions", body: "{}" }, 4],
    ["GET", { method: "GET", path: "/x" }, 4],
  ] as const) {
    test(`sees ${name} ${most === 1 ? "once" : `at most ${most} times`}`, async () => {
      const send = (text: RequestText) =>
        RawClient.sends(relay.port, requestText({ ...text, headers: { "x-model": "m" } }));
      // A pooled connection at each worker, which is where runtimes send again by themselves.
      closes = false;
      for (let round = 0; round < 2; round++) {
        await using client = await send({ method: "GET", path: "/warm" });
        assert.equal((await client.response()).body, "warm");
      }
      closes = true;
      const before = backend.requests.length;
      await using client = await send(request);
      const response = await client.response();
      assert.deepEqual([response.status, failureCode(response)], [502, "backend_broke_off"]);
      const times = backend.requests.length - before;
      assert.ok(times >= 1 && times <= most, `${times} times`);
    });
  }
});
