import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { endRelay, slotsFree, startRelay, workersWhen } from "../support/admin_view.ts";
import { cannotOverPlain } from "../support/link_form.ts";
import { type RelayProgram, WorkerProgram } from "../support/program.ts";
import { type BackendRequest, RawBackend } from "../support/raw_backend.ts";
import { RawClient, type RequestText, requestText } from "../support/raw_client.ts";
import { failureCode } from "../support/raw_client_response.ts";

/** What a client is told about a backend that fails, through a real relay and worker. */

let relay: RelayProgram;
let worker: WorkerProgram;
let backend: RawBackend;

before(async () => {
  backend = await RawBackend.start();
  relay = await startRelay();
  worker = await WorkerProgram.start(relay.url, backend.url, ["--models=m"]);
});

after(async () => {
  await worker?.kill();
  await endRelay(relay);
  await backend?.[Symbol.asyncDispose]();
});

/** The answer to a request whose backend does what `act` says. */
async function backendDoes(act: (request: BackendRequest) => void, request: RequestText = {}) {
  await using client = await RawClient.sends(relay.port, requestText({ body: { model: "m" }, ...request }));
  act(await (await backend.next()).receivedWhole());
  const response = await client.response();
  await slotsFree(relay);
  return response;
}

test("backend_broke_off: closed before its head", async () => {
  const response = await backendDoes((request) => request.end(), { method: "PATCH", path: "/x" });
  assert.deepEqual([response.status, failureCode(response)], [502, "backend_broke_off"]);
});

test("backend_broke_off: within its head", async () => {
  const act = (request: BackendRequest) => {
    request.send("HTTP/1.1 200 OK\r\ncontent-le");
    request.end();
  };
  const response = await backendDoes(act, { method: "PATCH", path: "/x" });
  assert.deepEqual([response.status, failureCode(response)], [502, "backend_broke_off"]);
});

for (const [name, answer] of [
  ["no HTTP", "SSH-2.0-OpenSSH\r\n\r\n"],
  ["two lengths", "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx"],
  ["a bad name", "HTTP/1.1 200 OK\r\nbad name: x\r\ncontent-length: 0\r\n\r\n"],
] as const) {
  test(`backend_invalid: ${name}`, async () => {
    const response = await backendDoes((request) => request.send(answer));
    assert.deepEqual([response.status, failureCode(response)], [502, "backend_invalid"]);
  });
}

for (const [name, begin] of [
  ["in chunks", (request: BackendRequest) => request.startStream().chunk("data: 1\n\n")],
  [
    "with a length",
    (request: BackendRequest) => request.send("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\ndata: 1\n\n"),
  ],
] as const) {
  const skip = name === "with a length" ? cannotOverPlain("eventStreams") : undefined;
  test(`an answer that breaks off ${name} is visibly truncated`, { skip }, async () => {
    await using client = await RawClient.sends(
      relay.port,
      requestText({ body: { model: "m", stream: true } }),
    );
    const request = await backend.next();
    begin(request);
    await client.receives("data: 1");
    request.reset();
    await client.isClosed();
    const response = await client.response();
    assert.deepEqual([response.status, response.complete], [200, false]);
    await slotsFree(relay);
  });
}

test("what came before the break arrives, though it comes at once", async () => {
  await using client = await RawClient.sends(relay.port, requestText({ body: { model: "m" } }));
  const request = await backend.next();
  request.startStream().chunk("data: 1\n\n");
  request.end();
  const response = await client.response();
  const { status, body, complete } = response;
  // All of it in one message is no answer yet.
  if (status === 502) assert.equal(failureCode(response), "backend_broke_off");
  else assert.deepEqual([status, body, complete], [200, "data: 1\n\n", false]);
  await slotsFree(relay);
});

test("a failure shows neither address nor cause", async () => {
  const { body } = await backendDoes((request) => request.send("nonsense\r\n\r\n"));
  assert.doesNotMatch(body, /127\.0\.0\.1|nonsense|stack|\.ts/);
});

// The worker that left is expected back for --absent-grace, but it is not the answer to a backend that is down.
test("backend_unreachable comes at once, though another worker with the model left a moment ago", async () => {
  await using own = await startRelay(["--queue-timeout=20s"]);
  const gone = await WorkerProgram.start(own.url, backend.url, ["--models=m"]);
  await gone.kill();
  await workersWhen(own, (workers) => workers.length === 0);
  await using down = await RawBackend.start();
  const downUrl = down.url;
  await down[Symbol.asyncDispose]();
  await using without = await WorkerProgram.start(own.url, downUrl, ["--models=m"]);
  const startedMs = performance.now();
  await using client = await RawClient.sends(own.port, requestText({ body: { model: "m" } }));
  const response = await client.response();
  assert.deepEqual([response.status, failureCode(response)], [502, "backend_unreachable"]);
  assert.ok(performance.now() - startedMs < 10_000);
  assert.equal(without.child.exitCode, null);
});
