import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { INITIAL_WINDOW_BYTES, SEND_QUEUE_BYTES } from "../../shared/link/limits.ts";
import { lineHas, startRelay, workersWhen } from "../support/admin_view.ts";
import { cannotOverPlain } from "../support/link_form.ts";
import { type Program, WorkerProgram } from "../support/program.ts";
import { RawBackend } from "../support/raw_backend.ts";
import { RawClient, requestText } from "../support/raw_client.ts";
import { failureCode } from "../support/raw_client_response.ts";
import { ScriptedRelay } from "../support/scripted_relay.ts";
import { until } from "../support/until.ts";

/** Leaving: what runs is finished, nothing new begins, and nobody waits for ever. */

const CHAT = requestText({ body: { model: "m", stream: true } });

async function exits(program: Program, withinMs: number): Promise<number> {
  await until(() => program.child.exitCode !== null, "the process ends", withinMs);
  return await program.exited;
}

/** A stream that has begun. */
async function startStream(port: number, backend: RawBackend) {
  const client = await RawClient.sends(port, CHAT);
  const request = (await backend.next()).startStream();
  request.chunk("data: 1\n\n");
  await client.receives("data: 1");
  return { client, request };
}

describe("a worker that is told to stop", () => {
  for (const form of ["auto", "plain"]) {
    test(`finishes its stream and takes nothing new, ${form}`, async () => {
      await using backend = await RawBackend.start();
      await using relay = await startRelay();
      const flags = ["--models=m", `--link-form=${form}`];
      await using worker = await WorkerProgram.start(relay.url, backend.url, [
        ...flags,
        "--max-concurrency=2",
      ]);
      const { client, request } = await startStream(relay.port, backend);
      worker.signal("SIGTERM");
      await workersWhen(relay, ([report]) => report!.is_draining || report!.models.length === 0);
      await using later = await RawClient.sends(relay.port, CHAT);
      await lineHas(relay, 1);
      request.chunk("data: 2\n\n");
      await client.receives("data: 2");
      request.lastChunk();
      assert.equal((await client.response()).complete, true);
      assert.equal(await exits(worker, 2000), 0);
      await using _next = await WorkerProgram.start(relay.url, backend.url, flags);
      (await backend.next()).reply(200, "the next one's");
      assert.equal((await later.response()).body, "the next one's");
    });
  }

  test("closes its link only when all of an answer was taken", {
    skip: cannotOverPlain("noCredit"),
  }, async () => {
    await using backend = await RawBackend.start();
    await using relay = await ScriptedRelay.start();
    await using worker = await WorkerProgram.start(relay.url, backend.url, ["--models=m"]);
    const link = await relay.worker();
    const answer = link.ask({}, { takes: false });
    // More than its credit, and less than what makes it hold the backend back.
    const body = "x".repeat(INITIAL_WINDOW_BYTES + SEND_QUEUE_BYTES / 2);
    (await backend.next()).reply(200, body);
    await until(() => answer.body.length === INITIAL_WINDOW_BYTES, "the worker uses up its credit");
    worker.signal("SIGTERM");
    await until(() => link.controls.some(({ type }) => type === "drain"), "the worker says that it leaves");
    answer.take();
    await answer.isOver();
    assert.deepEqual([answer.ended, answer.body.length], [true, body.length]);
    await until(() => link.end !== undefined, "the worker closes its link");
    assert.equal(link.end!.code, 1000);
    assert.equal(await exits(worker, 1000), 0);
  });

  test("ends at once when nothing runs", async () => {
    await using backend = await RawBackend.start();
    await using relay = await startRelay();
    await using worker = await WorkerProgram.start(relay.url, backend.url, ["--models=m"]);
    worker.signal("SIGTERM");
    assert.equal(await exits(worker, 1000), 0);
    await workersWhen(relay, (workers) => workers.length === 0, 500);
  });

  test("ends though no relay is there", async () => {
    await using worker = new WorkerProgram([
      ...["worker", "--proxy-url=http://127.0.0.1:1", "--backend-url=http://127.0.0.1:1", "--models=m"],
    ]);
    await worker.says(/cannot be reached/);
    worker.signal("SIGINT");
    assert.equal(await exits(worker, 1000), 0);
  });

  test("ends though its relay does not move", async () => {
    await using backend = await RawBackend.start();
    await using relay = await startRelay();
    await using worker = await WorkerProgram.start(relay.url, backend.url, ["--models=m"]);
    relay.signal("SIGSTOP");
    worker.signal("SIGTERM");
    assert.equal(await exits(worker, 2000), 0);
  });

  test("cuts what still runs at its deadline", async () => {
    await using backend = await RawBackend.start();
    await using relay = await startRelay();
    const flags = ["--models=m", "--drain-timeout=300ms"];
    await using worker = await WorkerProgram.start(relay.url, backend.url, flags);
    const { client, request } = await startStream(relay.port, backend);
    worker.signal("SIGTERM");
    await client.isClosed(2000);
    assert.equal((await client.response()).complete, false);
    assert.equal(await exits(worker, 2000), 0);
    await request.isLeft();
  });

  for (const [signal, code] of [
    ["SIGTERM", 143],
    ["SIGINT", 130],
  ] as const) {
    test(`ends at once at a second ${signal}`, async () => {
      await using backend = await RawBackend.start();
      await using relay = await startRelay();
      await using worker = await WorkerProgram.start(relay.url, backend.url, ["--models=m"]);
      const { client } = await startStream(relay.port, backend);
      worker.signal(signal);
      await worker.says(/Draining/);
      worker.signal(signal);
      assert.equal(await exits(worker, 1000), code);
      await client.isClosed(1000);
      assert.equal((await client.response()).complete, false);
    });
  }
});

describe("a relay that is told to stop", () => {
  for (const form of ["auto", "plain"]) {
    test(`finishes what runs, refuses who waits, tells its workers, ${form}`, async () => {
      await using backend = await RawBackend.start();
      await using relay = await startRelay();
      await using worker = await WorkerProgram.start(relay.url, backend.url, [
        "--models=m",
        `--link-form=${form}`,
      ]);
      const { client, request } = await startStream(relay.port, backend);
      await using waiting = await RawClient.sends(relay.port, CHAT);
      await lineHas(relay, 1);
      await using idle = await RawClient.connect(relay.port);
      relay.signal("SIGTERM");
      const refused = await waiting.response();
      assert.deepEqual([refused.status, failureCode(refused)], [503, "shutting_down"]);
      assert.ok(Number(refused.headers.get("retry-after")) >= 1);
      await worker.says(/relay is leaving/);

      const late = await RawClient.sends(relay.port, CHAT).catch(() => undefined);
      for (const newcomer of [late, idle]) {
        if (newcomer === idle) idle.send(CHAT);
        const response = await newcomer?.response();
        if (response && response.status !== 0) assert.equal(failureCode(response), "shutting_down");
      }
      assert.equal(backend.requests.length, 1);

      request.chunk("data: 2\n\n");
      await client.receives("data: 2");
      request.lastChunk();
      assert.equal((await client.response()).complete, true);
      assert.equal(await exits(relay, 2500), 0);
      assert.equal(worker.child.exitCode, null);

      await using successor = await startRelay(["--listen", `127.0.0.1:${relay.port}`]);
      await workersWhen(successor, (workers) => workers.length === 1);
    });
  }

  test("ends soon when nothing runs, with workers and idle connections open", async () => {
    await using backend = await RawBackend.start((request) => request.reply(200, "done"));
    await using relay = await startRelay();
    await using _worker = await WorkerProgram.start(relay.url, backend.url, ["--models=m"]);
    await using client = await RawClient.sends(relay.port, CHAT);
    assert.equal((await client.response()).body, "done");
    relay.signal("SIGTERM");
    assert.equal(await exits(relay, 2000), 0);
    assert.doesNotMatch(relay.stderr, /Uncaught| {4}at /);
  });

  test("cuts what still runs at its deadline", async () => {
    await using backend = await RawBackend.start();
    await using relay = await startRelay(["--drain-timeout=300ms"]);
    await using _worker = await WorkerProgram.start(relay.url, backend.url, ["--models=m"]);
    const { client, request } = await startStream(relay.port, backend);
    relay.signal("SIGTERM");
    await client.isClosed(2500);
    assert.equal((await client.response()).complete, false);
    assert.equal(await exits(relay, 2000), 0);
    await request.isLeft();
  });

  test("ends though its worker does not move", async () => {
    await using backend = await RawBackend.start();
    await using relay = await startRelay();
    await using worker = await WorkerProgram.start(relay.url, backend.url, ["--models=m"]);
    worker.signal("SIGSTOP");
    relay.signal("SIGTERM");
    assert.equal(await exits(relay, 2500), 0);
  });

  test("ends at once at a second signal", async () => {
    await using backend = await RawBackend.start();
    await using relay = await startRelay();
    await using _worker = await WorkerProgram.start(relay.url, backend.url, ["--models=m"]);
    const { client, request } = await startStream(relay.port, backend);
    relay.signal("SIGTERM");
    await relay.says(/Draining/);
    relay.signal("SIGTERM");
    assert.equal(await exits(relay, 1000), 143);
    await client.isClosed(1000);
    assert.equal((await client.response()).complete, false);
    await request.isLeft();
  });
});
