import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { endRelay, lineHas, startRelay, workersWhen } from "../support/admin_view.ts";
import type { RelayProgram } from "../support/program.ts";
import { RawClient, type RequestText, requestText } from "../support/raw_client.ts";
import { failureCode } from "../support/raw_client_response.ts";
import { type ScriptedRequest, ScriptedWorker } from "../support/scripted_worker.ts";
import { until } from "../support/until.ts";

/** Requests that wait for a slot: who is next, when, and who is told that there is no room. */

/** ModelRelay looks at its line when a worker's next heartbeat comes, up to 30 s later. Ours must not. */
const AT_ONCE_MS = 500;

let relay: RelayProgram;
let models = 0;

before(async () => {
  relay = await startRelay(["--max-worker-handshakes=1000", "--absent-grace=2s"]);
});

after(async () => {
  await endRelay(relay);
});

/** A model that nobody else has. */
function newModel() {
  const model = `model-${++models}`;
  const connect = (register: object = {}) =>
    ScriptedWorker.connect(relay.url, { register: { models: [model], ...register } });
  const send = (body: object = {}) => RawClient.sends(relay.port, requestText({ body: { model, ...body } }));
  return { model, connect, send };
}

async function receivesAtOnce(worker: ScriptedWorker): Promise<ScriptedRequest> {
  const had = worker.requests.length;
  await until(() => worker.requests.length > had, "the worker gets a request", AT_ONCE_MS);
  return await worker.requests.at(-1)!.received();
}

test("a request whose worker just left is given to the next that registers", async () => {
  const { connect, send } = newModel();
  await (await connect()).die();
  await using client = await send();
  await lineHas(relay, 1);
  await using worker = await connect();
  await until(() => worker.requests.length === 1, "the worker gets the request", AT_ONCE_MS);
  worker.requests[0]!.answer(200, "done");
  assert.equal((await client.response()).body, "done");
});

test("one that waits is given the slot of one that was answered", async () => {
  const { connect, send } = newModel();
  await using worker = await connect();
  await using first = await send({ n: 1 });
  const running = await worker.next();
  await using second = await send({ n: 2 });
  await lineHas(relay, 1);
  const dispatched = receivesAtOnce(worker);
  running.answer(200, "first");
  (await dispatched).answer(200, "second");
  assert.equal((await first.response()).body, "first");
  assert.equal((await second.response()).body, "second");
});

test("one that waits is given the slot of one whose client left", async () => {
  const { connect, send } = newModel();
  await using worker = await connect();
  await using first = await send();
  await worker.next();
  await using second = await send();
  await lineHas(relay, 1);
  const dispatched = receivesAtOnce(worker);
  first.leave();
  (await dispatched).answer(200, "second");
  assert.equal((await second.response()).body, "second");
});

test("one that waits is given to a worker that takes up its model", async () => {
  const { model, connect, send } = newModel();
  await using worker = await connect();
  await using first = await send();
  await worker.next();
  await using second = await send();
  await lineHas(relay, 1);
  await using other = await connect({ models: ["something-else"] });
  const dispatched = receivesAtOnce(other);
  other.link.sendControl({ type: "models_update", models: [model], current_load: 0 });
  (await dispatched).answer(200, "second");
  assert.equal((await second.response()).body, "second");
  first.leave();
});

test("one that waits is given to a worker that reports less load", async () => {
  const { connect, send } = newModel();
  await using worker = await connect({ current_load: 1 });
  await using client = await send();
  await lineHas(relay, 1);
  const dispatched = receivesAtOnce(worker);
  worker.link.sendControl({ type: "load", current_load: 0 });
  (await dispatched).answer(200, "done");
  assert.equal((await client.response()).body, "done");
});

test("first come, first served, and no model waits for another's", async () => {
  const { connect, send } = newModel();
  const other = newModel();
  await using worker = await connect();
  await using otherWorker = await other.connect();
  const clients = [];
  for (let n = 0; n < 4; n++) {
    clients.push(await send({ n }));
    // The order of arrival is that of the line only when each is there before the next.
    if (n === 0) await worker.next();
    else await lineHas(relay, n);
  }
  await using aside = await other.send();
  (await receivesAtOnceOrHas(otherWorker)).answer(200, "aside");
  assert.equal((await aside.response()).body, "aside");
  for (const [n, client] of clients.entries()) {
    const request = n === 0 ? worker.requests[0]! : await worker.next();
    assert.equal(JSON.parse((await request.received()).body).n, n);
    request.answer(200, `${n}`);
    assert.equal((await client.response()).body, `${n}`);
  }
});

async function receivesAtOnceOrHas(worker: ScriptedWorker): Promise<ScriptedRequest> {
  await until(() => worker.requests.length > 0, "the worker gets a request", AT_ONCE_MS);
  return worker.requests[0]!;
}

test("slots are counted: no worker has more requests than it takes", async () => {
  const { connect, send } = newModel();
  await using one = await connect({ max_concurrent: 2 });
  await using two = await connect({ max_concurrent: 3 });
  const clients = await Promise.all(Array.from({ length: 9 }, () => send()));
  await lineHas(relay, 4);
  await until(() => one.requests.length + two.requests.length >= 5, "the workers get the others");
  assert.deepEqual([one.requests.length, two.requests.length], [2, 3]);
  for (const client of clients) client.leave();
  await lineHas(relay, 0);
});

/** A relay of its own, whose only slot is taken. */
async function fullRelay(flags: string[]) {
  const full = await startRelay(flags);
  const worker = await ScriptedWorker.connect(full.url);
  const send = (request: RequestText = {}) =>
    RawClient.sends(full.port, requestText({ body: { model: "m" }, ...request }));
  const holder = await send();
  await worker.next();
  return {
    relay: full,
    worker,
    send,
    async [Symbol.asyncDispose]() {
      holder.leave();
      await worker[Symbol.asyncDispose]();
      await full.kill();
    },
  };
}

async function isRefused(client: RawClient, status: number, code: string): Promise<void> {
  const response = await client.response();
  assert.deepEqual([response.status, failureCode(response)], [status, code]);
  if (status === 503) assert.ok(Number(response.headers.get("retry-after")) >= 1);
}

test("line_full: more requests than may wait", async () => {
  await using full = await fullRelay(["--max-queue-len=2"]);
  const waiting = [await full.send(), await full.send()];
  await lineHas(full.relay, 2);
  await isRefused(await full.send(), 503, "line_full");
  waiting[0]!.leave();
  await lineHas(full.relay, 1);
  await using next = await full.send();
  await lineHas(full.relay, 2);
  assert.equal(next.received, "");
});

test("line_full: more bytes than may be kept for those who wait", async () => {
  await using full = await fullRelay(["--max-queue-bytes=10KiB"]);
  const large = { body: { model: "m", prompt: "x".repeat(6000) } };
  await using _waiting = await full.send(large);
  await lineHas(full.relay, 1);
  await isRefused(await full.send(large), 503, "line_full");
  await using _small = await full.send();
  await lineHas(full.relay, 2);
});

test("wait_expired: nobody was free in time", async () => {
  await using full = await fullRelay(["--queue-timeout=200ms"]);
  await isRefused(await full.send(), 503, "wait_expired");
  await lineHas(full.relay, 0);
});

test("request_timeout: the answer's deadline holds in the line too", async () => {
  await using full = await fullRelay(["--request-timeout=200ms"]);
  await isRefused(await full.send(), 504, "request_timeout");
  await lineHas(full.relay, 0);
});

test("wait_expired: the model's worker left and did not come back", async () => {
  await using own = await startRelay(["--queue-timeout=200ms"]);
  const worker = await ScriptedWorker.connect(own.url);
  await worker.die();
  await workersWhen(own, (workers) => workers.length === 0);
  await isRefused(
    await RawClient.sends(own.port, requestText({ body: { model: "m" } })),
    503,
    "wait_expired",
  );
});

test("model_not_found: the model's worker left too long ago to be waited for", async () => {
  await using own = await startRelay(["--absent-grace=0s"]);
  const worker = await ScriptedWorker.connect(own.url);
  await worker.die();
  await workersWhen(own, (workers) => workers.length === 0);
  await isRefused(
    await RawClient.sends(own.port, requestText({ body: { model: "m" } })),
    404,
    "model_not_found",
  );
});

test("no_eligible_worker: nobody is connected, and no model is named", async () => {
  await using own = await startRelay();
  const client = await RawClient.sends(own.port, requestText({ method: "GET", path: "/x" }));
  await isRefused(client, 404, "no_eligible_worker");
});
