import assert from "node:assert/strict";
import { test } from "node:test";
import { slotsFree, startRelay, workersWhen } from "../support/admin_view.ts";
import { cannotOverPlain } from "../support/link_form.ts";
import { WorkerProgram } from "../support/program.ts";
import { RawBackend } from "../support/raw_backend.ts";
import { RawClient, requestText } from "../support/raw_client.ts";
import { failureCode } from "../support/raw_client_response.ts";

/** Processes that die: what is broken off shows, what can be saved is, and who is left comes back together. */

const CHAT = requestText({ body: { model: "m", stream: true } });

test("worker_lost: a worker that is killed before a byte of the answer", async () => {
  await using backend = await RawBackend.start();
  await using relay = await startRelay(["--queue-timeout=300ms"]);
  await using worker = await WorkerProgram.start(relay.url, backend.url, ["--models=m"]);
  await using client = await RawClient.sends(relay.port, CHAT);
  const request = await backend.next();
  worker.signal("SIGKILL");
  const response = await client.response();
  assert.deepEqual([response.status, failureCode(response)], [502, "worker_lost"]);
  await request.isLeft();
});

test("a worker that is killed in the middle of a stream: the truncation shows, and nothing is sent again", async () => {
  await using backend = await RawBackend.start();
  await using relay = await startRelay();
  await using worker = await WorkerProgram.start(relay.url, backend.url, ["--models=m"]);
  await using client = await RawClient.sends(relay.port, CHAT);
  const request = (await backend.next()).startStream();
  request.chunk("data: 1\n\n");
  await client.receives("data: 1");
  await using _second = await WorkerProgram.start(relay.url, backend.url, ["--models=m"]);
  worker.signal("SIGKILL");
  await client.isClosed(1000);
  assert.equal((await client.response()).complete, false);
  await workersWhen(relay, (workers) => workers.length === 1);
  assert.equal(backend.requests.length, 1);
});

test("a worker that is killed with a request that may be sent again: an idle one answers at once", async () => {
  await using backend = await RawBackend.start();
  await using relay = await startRelay();
  await using worker = await WorkerProgram.start(relay.url, backend.url, [
    "--models=m",
    "--worker-name=first",
  ]);
  await using client = await RawClient.sends(relay.port, CHAT);
  await backend.next();
  await using _second = await WorkerProgram.start(relay.url, backend.url, [
    "--models=m",
    "--worker-name=second",
  ]);
  worker.signal("SIGKILL");
  (await backend.next()).reply(200, "saved");
  const { status, body, headers } = await client.response();
  assert.deepEqual([status, body], [200, "saved"]);
  assert.deepEqual([headers.get("x-signalbox-worker"), headers.get("x-signalbox-attempts")], ["second", "2"]);
  await slotsFree(relay);
});

test("a relay that is killed: the worker stops its backend's work and comes back", async () => {
  await using backend = await RawBackend.start();
  const relay = await startRelay();
  await using worker = await WorkerProgram.start(relay.url, backend.url, ["--models=m"]);
  await using client = await RawClient.sends(relay.port, CHAT);
  const request = (await backend.next()).startStream();
  request.chunk("data: 1\n\n");
  await client.receives("data: 1");
  await relay.kill();
  await client.isClosed();
  assert.equal((await client.response()).complete, false);
  await request.isLeft();
  await using successor = await startRelay(["--listen", `127.0.0.1:${relay.port}`]);
  // The first delays are at most 0.5 s and 1 s.
  await workersWhen(successor, (workers) => workers.length === 1);
  await using again = await RawClient.sends(successor.port, CHAT);
  (await backend.next()).reply(200, "back");
  assert.equal((await again.response()).body, "back");
  assert.equal(worker.child.exitCode, null);
});

test("a backend that is killed in the middle of a stream, and comes back", async () => {
  await using backend = await RawBackend.start();
  await using relay = await startRelay();
  await using _worker = await WorkerProgram.start(relay.url, backend.url, ["--models=m"]);
  await using client = await RawClient.sends(relay.port, CHAT);
  const request = (await backend.next()).startStream();
  request.chunk("data: 1\n\n");
  await client.receives("data: 1");
  const { port } = backend;
  await backend.kill();
  await client.isClosed();
  assert.equal((await client.response()).complete, false);

  await using refused = await RawClient.sends(relay.port, CHAT);
  const response = await refused.response();
  assert.deepEqual([response.status, failureCode(response)], [502, "backend_unreachable"]);

  await using _restarted = await RawBackend.start((next) => next.reply(200, "back"), port);
  await using again = await RawClient.sends(relay.port, CHAT);
  assert.equal((await again.response()).body, "back");
});

test("backend_unreachable: the request goes to another worker, whatever its method", {
  skip: cannotOverPlain("failureIsAnswer"),
}, async () => {
  await using backend = await RawBackend.start((request) => request.reply(200, request.method));
  await using relay = await startRelay();
  // The one that joined first is asked first.
  await using _broken = await WorkerProgram.start(relay.url, "http://127.0.0.1:1", ["--models=m"]);
  await using _works = await WorkerProgram.start(relay.url, backend.url, ["--models=m"]);
  for (const method of ["DELETE", "PATCH", "POST"]) {
    for (let round = 0; round < 2; round++) {
      await using client = await RawClient.sends(relay.port, requestText({ method, path: "/x", body: "b" }));
      assert.equal((await client.response()).body, method);
    }
  }
});
