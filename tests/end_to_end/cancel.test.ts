import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { endRelay, lineHas, slotsFree, startRelay } from "../support/admin_view.ts";
import { formFlag } from "../support/link_form.ts";
import { type RelayProgram, WorkerProgram } from "../support/program.ts";
import { RawBackend } from "../support/raw_backend.ts";
import { chunk, RawClient, requestText } from "../support/raw_client.ts";
import { ScriptedWorker } from "../support/scripted_worker.ts";
import { until } from "../support/until.ts";

/** A client that leaves: the backend's work ends within a second and the slot is free, at every stage. */

const CHAT = requestText({ body: { model: "m", stream: true } });

for (const form of ["auto", "plain"]) {
  describe(`over a link of form ${form}`, () => {
    let relay: RelayProgram;
    let worker: WorkerProgram;
    let backend: RawBackend;

    before(async () => {
      backend = await RawBackend.start();
      relay = await startRelay();
      worker = await WorkerProgram.start(relay.url, backend.url, ["--models=m", `--link-form=${form}`]);
    });

    after(async () => {
      await worker?.kill();
      await endRelay(relay);
      await backend?.[Symbol.asyncDispose]();
    });

    test("while it waits in the line: it leaves the line and is never sent", async () => {
      await using holder = await RawClient.sends(relay.port, CHAT);
      const held = await backend.next();
      await using client = await RawClient.sends(relay.port, CHAT);
      await lineHas(relay, 1);
      client.leave();
      await lineHas(relay, 0);
      held.reply(200, "done");
      assert.equal((await holder.response()).body, "done");
      await slotsFree(relay);
      assert.equal(backend.requests.at(-1), held);
    });

    for (const method of ["POST", "GET", "HEAD", "DELETE"]) {
      test(`before a byte of the answer: ${method}`, async () => {
        const body = method === "POST" ? { model: "m" } : undefined;
        const text = requestText({ method, path: "/x", ...(body && { body }) });
        await using client = await RawClient.sends(relay.port, text);
        const request = await backend.next();
        client.leave();
        await request.isLeft();
        await slotsFree(relay);
      });
    }

    test("between two events", async () => {
      await using client = await RawClient.sends(relay.port, CHAT);
      const request = (await backend.next()).startStream();
      request.chunk("data: 1\n\n");
      await client.receives("data: 1");
      client.leave();
      await request.isLeft();
      await slotsFree(relay);
    });

    test("after many requests on one connection", async () => {
      await using client = await RawClient.connect(relay.port);
      for (let number = 0; number < 3; number++) {
        client.send(CHAT);
        (await backend.next()).reply(200, `answer ${number}`);
        assert.equal((await client.response(number)).body, `answer ${number}`);
      }
      client.send(CHAT);
      const request = await backend.next();
      client.leave();
      await request.isLeft();
      await slotsFree(relay);
    });

    test("before all of a small body has arrived: nobody hears of it, and it is no fault of the relay", async () => {
      const seen = backend.requests.length;
      const headers = { "content-length": "100", "content-type": "application/json" };
      await using client = await RawClient.sends(relay.port, requestText({ path: "/small", headers }));
      client.send('{"model":');
      // The relay has read the head by the time that it answers a later connection.
      assert.equal((await fetch(`${relay.url}/health`)).status, 200);
      client.leave();
      await until(() => /path=\/small .*client_gone/.test(relay.stderr), "the log line of the request");
      assert.doesNotMatch(relay.stderr, /fault of the relay/);
      assert.equal(backend.requests.length, seen);
    });
  });
}

describe("over a framed link", () => {
  let relay: RelayProgram;
  let worker: WorkerProgram;
  let backend: RawBackend;

  before(async () => {
    backend = await RawBackend.start();
    relay = await startRelay();
    worker = await WorkerProgram.start(relay.url, backend.url, ["--models=m", formFlag("framed")]);
  });

  after(async () => {
    await worker?.kill();
    await endRelay(relay);
    await backend?.[Symbol.asyncDispose]();
  });

  for (const headers of [{ "content-length": "1000000" }, { "transfer-encoding": "chunked" }]) {
    test(`during its upload, ${Object.keys(headers)}`, async () => {
      const type = { "content-type": "application/octet-stream" };
      const text = requestText({ method: "PUT", path: "/upload", headers: { ...headers, ...type } });
      await using client = await RawClient.sends(relay.port, text);
      client.send("content-length" in headers ? "x".repeat(1000) : chunk("x".repeat(1000)));
      const request = await backend.next();
      client.leave();
      await request.isLeft();
      assert.equal(request.whole, false);
      await slotsFree(relay);
    });
  }

  test("while it takes nothing of the answer", async () => {
    await using client = await RawClient.sends(relay.port, CHAT);
    const request = (await backend.next()).startStream({ "content-type": "application/octet-stream" });
    client.pause();
    const piece = Buffer.alloc(64 * 1024, "x");
    // All buffers on the way are full when the backend has to wait for longer than they take to pass it on.
    while (await hasRoomSoon(request)) request.chunk(piece);
    client.leave();
    await request.isLeft();
    await slotsFree(relay);
  });

  test("sent, not yet started by the worker", async () => {
    await using lazy = await ScriptedWorker.connect(relay.url, {
      form: "framed",
      register: { models: ["lazy"] },
    });
    await using client = await RawClient.sends(relay.port, requestText({ body: { model: "lazy" } }));
    const request = await lazy.next();
    client.leave();
    assert.equal(await request.isReset(), "cancelled");
    await slotsFree(relay);
  });

  test("the worker has its slot back though nobody confirms the cancel", async () => {
    await using mute = await ScriptedWorker.connect(relay.url, {
      form: "framed",
      register: { models: ["mute"] },
    });
    for (let round = 0; round < 3; round++) {
      await using client = await RawClient.sends(relay.port, requestText({ body: { model: "mute" } }));
      const request = await mute.next();
      request.start();
      client.leave();
      await request.isReset();
    }
  });
});

async function hasRoomSoon(request: { room(): Promise<void> }): Promise<boolean> {
  const stalled = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 300));
  return await Promise.race([request.room().then(() => true), stalled]);
}
