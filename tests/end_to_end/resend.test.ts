import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { lineHas, startRelay, workersWhen } from "../support/admin_view.ts";
import { WorkerProgram } from "../support/program.ts";
import { RawBackend } from "../support/raw_backend.ts";
import { RawClient, type RequestText, requestText } from "../support/raw_client.ts";
import { failureCode } from "../support/raw_client_response.ts";
import { type ScriptedRequest, ScriptedWorker } from "../support/scripted_worker.ts";

/** Which requests are sent a second time, and how often: `docs`, "Re-send rules". */

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
};
const BEFORE_START = Object.keys(FAILURES).slice(0, 3);
const AFTER_START = Object.keys(FAILURES).slice(3);

const REQUESTS: Record<string, RequestText> = {
  "GET": { method: "GET", path: "/x?a=1" },
  "HEAD": { method: "HEAD", path: "/x" },
  "OPTIONS": { method: "OPTIONS", path: "/x" },
  "PUT": { method: "PUT", path: "/x", body: "body" },
  "an inference POST": { path: "/v1/chat/completions", body: { messages: [] } },
  "POST /v1/responses": { path: "/v1/responses", body: { input: "x" } },
  "POST /v1/responses that stores": { path: "/v1/responses", body: { input: "x", store: true } },
  "POST /v1/responses in the background": { path: "/v1/responses", body: { background: true } },
  "another POST": { path: "/v1/files", body: "body" },
  "PATCH": { method: "PATCH", path: "/x", body: "body" },
  "DELETE": { method: "DELETE", path: "/x" },
};
const ONCE = new Set([
  "POST /v1/responses that stores",
  "POST /v1/responses in the background",
  "another POST",
  "PATCH",
  "DELETE",
]);

/** Send a request whose first worker fails as `failure` says, with a second one that answers. */
async function tryTwice(failure: string, request: RequestText, flags: string[] = []) {
  await using relay = await startRelay(["--queue-timeout=300ms", ...flags]);
  await using first = await ScriptedWorker.connect(relay.url);
  await using client = await RawClient.sends(relay.port, requestText(request));
  const held = await (await first.next()).received();
  const answer = (second: ScriptedRequest) => void second.received().then(() => second.answer(200, second.body || "-"));
  await using second = await ScriptedWorker.connect(relay.url, { serve: answer });
  await FAILURES[failure]!(held, first);
  await client.receives("\r\n\r\n");
  return { client, status: Number(client.received.split(" ")[1]), seen: second.requests.length, first: held };
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
  const limit = ["--replay-limit=1KiB"];
  for (const [length, status] of [
    [900, 200],
    [2000, 502],
  ] as const) {
    for (const failure of ["dies before it starts", "says that its backend broke off"]) {
      const body = "x".repeat(length);
      const found = await tryTwice(failure, { path: "/v1/completions", body }, limit);
      assert.equal(found.status, status, failure);
      if (status === 200) assert.equal((await found.client.response()).body, body);
    }
  }
});

test("what was answered in part is never sent again", async () => {
  await using relay = await startRelay();
  await using first = await ScriptedWorker.connect(relay.url);
  await using client = await RawClient.sends(relay.port, requestText({ method: "GET", path: "/x" }));
  (await first.next()).respond(200);
  await client.receives("200");
  await using second = await ScriptedWorker.connect(relay.url);
  await first.die();
  await client.isClosed();
  assert.equal((await client.response()).complete, false);
  assert.equal(second.requests.length, 0);
});

test("a request that kills two workers is failed, not passed on", async () => {
  await using relay = await startRelay();
  const workers = await Promise.all([0, 1, 2].map(() => ScriptedWorker.connect(relay.url)));
  await using client = await RawClient.sends(relay.port, requestText({ path: "/v1/completions", body: {} }));
  for (const worker of workers) {
    worker.onRequest = (request) => FAILURES["dies after it started"]!(request, worker);
  }
  const response = await client.response();
  assert.deepEqual([response.status, failureCode(response)], [502, "worker_lost"]);
  assert.equal(workers.flatMap(({ requests }) => requests).length, 2);
  for (const worker of workers) await worker[Symbol.asyncDispose]();
});

test("at most three times more, and never over the same link", async () => {
  await using relay = await startRelay();
  const workers = await Promise.all([1, 2, 3, 4, 5, 6].map(() => ScriptedWorker.connect(relay.url)));
  for (const worker of workers) worker.onRequest = (request) => request.exchange.reset("refused");
  await using client = await RawClient.sends(relay.port, requestText({ method: "GET", path: "/x" }));
  const response = await client.response();
  assert.deepEqual([response.status, failureCode(response)], [503, "worker_refused"]);
  const counts = workers.map(({ requests }) => requests.length);
  assert.deepEqual([Math.max(...counts), counts.reduce((sum, count) => sum + count)], [1, 4]);
  for (const worker of workers) await worker[Symbol.asyncDispose]();
});

test("it keeps its place: it is before those that came after it", async () => {
  await using relay = await startRelay();
  await using first = await ScriptedWorker.connect(relay.url);
  await using client = await RawClient.sends(relay.port, requestText({ path: "/v1/completions", body: { n: 1 } }));
  await first.next();
  await using other = await RawClient.sends(relay.port, requestText({ path: "/v1/completions", body: { n: 2 } }));
  await lineHas(relay, 1);
  await first.die();
  await lineHas(relay, 2);
  await using second = await ScriptedWorker.connect(relay.url);
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
    await using relay = await startRelay(["--queue-timeout=300ms"]);
    await using first = await ScriptedWorker.connect(relay.url, { form: "plain" });
    await using client = await RawClient.sends(relay.port, requestText(request));
    await first.next();
    await using _second = await ScriptedWorker.connect(relay.url, { serve: (again) => again.answer(200, "again") });
    await first.die();
    assert.equal((await client.response()).status, status);
  }
});

describe("a backend that reads a request and closes", () => {
  for (const [name, request, most] of [
    ["another POST", { path: "/v1/files", body: "body" }, 1],
    ["PATCH", { method: "PATCH", path: "/x", body: "body" }, 1],
    ["DELETE", { method: "DELETE", path: "/x" }, 1],
    ["an inference POST", { body: { model: "m" } }, 4],
    ["GET", { method: "GET", path: "/x" }, 4],
  ] as const) {
    test(`sees ${name} ${most === 1 ? "once" : `at most ${most} times`}`, async () => {
      let closes = false;
      await using backend = await RawBackend.start((seen) => {
        if (!closes) return seen.reply(200, "warm");
        void seen.receivedWhole().then(() => seen.end());
      });
      await using relay = await startRelay(["--queue-timeout=300ms"]);
      await using _one = await WorkerProgram.start(relay.url, backend.url, ["--models=m"]);
      await using _two = await WorkerProgram.start(relay.url, backend.url, ["--models=m"]);
      await workersWhen(relay, (workers) => workers.length === 2);
      // A pooled connection at each worker, which is where runtimes send again by themselves.
      for (let round = 0; round < 2; round++) {
        await using client = await RawClient.sends(relay.port, requestText({ method: "GET", path: "/warm" }));
        assert.equal((await client.response()).body, "warm");
      }
      closes = true;
      await using client = await RawClient.sends(relay.port, requestText(request));
      const response = await client.response();
      assert.deepEqual([response.status, failureCode(response)], [502, "backend_broke_off"]);
      const times = backend.requests.length - 2;
      assert.ok(times >= 1 && times <= most, `${times} times`);
    });
  }
});
