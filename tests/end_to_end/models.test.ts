import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startRelay, workersOf, workersWhen } from "../support/admin_view.ts";
import { EchoBackend } from "../support/echo_backend.ts";
import { LINK_FORM } from "../support/link_form.ts";
import { type RelayProgram, WorkerProgram } from "../support/program.ts";

/** What the relay answers itself: its models, its health, and what its operator wants to know. */

const LIMIT = { timeout: 20_000 };
const ADMIN = { authorization: "Bearer admin-token-of-the-tests" };

describe("what the relay knows", () => {
  let backend: EchoBackend;
  let relay: RelayProgram;
  let served = ["meta/llama-3:8b", "qwen3", "with space", "é"];

  before(async () => {
    backend = await EchoBackend.start();
    backend.on("/v1/models", (_request, response) => {
      response.end(JSON.stringify({ data: served.map((id) => ({ id })) }));
    });
    relay = await startRelay();
  });

  after(async () => {
    await relay?.kill();
    await backend?.[Symbol.asyncDispose]();
  });

  const get = async (path: string, headers: Record<string, string> = {}) => {
    const response = await fetch(relay.url + path, { headers });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const ids = async () =>
    ((await get("/v1/models")).body as unknown as { data: { id: string }[] }).data.map(({ id }) => id);
  const startWorker = (name: string, ...flags: string[]) =>
    WorkerProgram.start(relay.url, backend.url, ["--worker-name", name, ...flags]);

  test("without workers there are no models", LIMIT, async () => {
    assert.deepEqual((await get("/v1/models")).body, { object: "list", data: [] });
  });

  test("the list is that of the connected workers, each model once", LIMIT, async () => {
    await using first = await startWorker("first");
    assert.deepEqual(await ids(), served);
    await using second = await startWorker("second", "--models", "qwen3,own-model");
    assert.deepEqual(await ids(), [...served, "own-model"]);
    first.signal("SIGTERM");
    assert.equal(await first.exited, 0);
    assert.deepEqual(await ids(), ["qwen3", "own-model"]);
    await second.kill();
    await workersWhen(relay, (workers) => workers.length === 0);
    assert.deepEqual(await ids(), []);
  });

  test("a model is found by its id: with slashes, escaped or not", LIMIT, async () => {
    await using _ = await startWorker("worker");
    const found: [path: string, id: string][] = [
      ["meta/llama-3:8b", "meta/llama-3:8b"],
      ["meta%2Fllama-3:8b", "meta/llama-3:8b"],
      ["meta%2fllama-3%3A8b?x=y", "meta/llama-3:8b"],
      ["with%20space", "with space"],
      ["%C3%A9", "é"],
    ];
    for (const [path, id] of found) {
      const { status, body } = await get(`/v1/models/${path}`);
      assert.deepEqual([status, body.id, body.object], [200, id, "model"], path);
      assert.equal(typeof body.created, "number");
    }
    for (const path of ["meta", "meta/", "none", "%", "*", ""]) {
      const { status, body } = await get(`/v1/models/${path}`);
      assert.deepEqual([status, (body.error as { code: string }).code], [404, "model_not_found"], path);
    }
  });

  test("a model that was taken off the list is gone at the next look", LIMIT, async () => {
    await using _ = await startWorker("worker");
    assert.ok((await ids()).includes("qwen3"));
    served = served.filter((id) => id !== "qwen3");
    await using other = await startWorker("other");
    assert.ok((await ids()).includes("qwen3"), "the first worker still has it");
    assert.deepEqual((await workersOf(relay))[1]?.models, served);
    await other.kill();
  });

  test("a worker that serves everything lists nothing, and serves", LIMIT, async () => {
    await using silent = await EchoBackend.start();
    await using _ = await WorkerProgram.start(relay.url, silent.url);
    const response = await fetch(`${relay.url}/v1/embeddings`, {
      method: "POST",
      body: '{"model":"whatever"}',
      headers: { "content-type": "application/json" },
    });
    assert.deepEqual([response.status, response.headers.get("x-signalbox-model")], [200, "whatever"]);
    assert.deepEqual(await ids(), []);
  });

  test("health: a little for everybody, all for the operator", LIMIT, async () => {
    await using _ = await startWorker("worker", "--models", "m1", "--max-concurrency", "3");
    assert.deepEqual((await get("/health")).body, { status: "ok", workers_connected: 1 });
    const wrong = { authorization: "Bearer wrong" };
    assert.deepEqual((await get("/health", wrong)).body, { status: "ok", workers_connected: 1 });
    const { uptime_secs, version, workers, ...rest } = (await get("/health", ADMIN)).body;
    assert.ok(typeof uptime_secs === "number" && uptime_secs > 0);
    assert.match(String(version), /^\d+\.\d+\.\d+/);
    const [{ id, ...worker }] = workers as [Record<string, unknown>];
    assert.match(String(id), /^worker-\d+$/);
    assert.deepEqual(worker, {
      provider: "local",
      models: ["m1"],
      in_flight: 0,
      max_concurrent: 3,
      is_draining: false,
    });
    assert.deepEqual(rest, { status: "ok", workers_connected: 1, queue_depth: 0, models_provider: "local" });
  });

  test("admin: the workers and the line, for the operator only", LIMIT, async () => {
    const flags = [
      "--models",
      "m1,m2",
      "--max-concurrency",
      "3",
      "--provider",
      "lab",
      "--endpoint-prefixes",
      "/v1",
    ];
    await using _ = await startWorker("bench", ...flags);
    const [{ worker_id, peer, connected_at, ...worker }, ...more] = (await get("/admin/workers", ADMIN)).body
      .workers as [Record<string, unknown>];
    assert.deepEqual([more.length, peer], [0, "127.0.0.1"]);
    assert.match(String(worker_id), /^worker-\d+$/);
    assert.match(String(connected_at), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    assert.deepEqual(worker, {
      provider: "lab",
      worker_name: "bench",
      models: ["m1", "m2"],
      max_concurrent: 3,
      reported_load: 0,
      in_flight_count: 0,
      is_draining: false,
      endpoint_prefixes: ["/v1"],
      labels: {},
      link_form: LINK_FORM,
    });
    // What became of requests is told from the first one on: `dashboard_sessions.test.ts`.
    const { requests: _requests, ...stats } = (await get("/admin/stats", ADMIN)).body;
    assert.deepEqual(stats, { queue_depth: { local: 0 }, active_workers: 1 });
    for (const path of ["/admin/workers", "/admin/stats"]) {
      assert.equal((await get(path)).status, 403, path);
      assert.equal((await get(path, { authorization: "Bearer wrong" })).status, 403, path);
    }
  });

  test("HEAD of what the relay answers has a head and no body", LIMIT, async () => {
    for (const path of ["/health", "/v1/models"]) {
      const response = await fetch(relay.url + path, { method: "HEAD" });
      assert.deepEqual([response.status, await response.text()], [200, ""], path);
      assert.match(response.headers.get("content-type") ?? "", /^application\/json/, path);
    }
  });
});
