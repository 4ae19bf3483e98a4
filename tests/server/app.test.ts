import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { treaty } from "@elysiajs/eden";
import { makeApp } from "../../server/app.ts";
import { Fleet } from "../../server/fleet.ts";
import type { WorkerLink } from "../../server/hub/worker_connection.ts";
import { keepContext } from "../../server/request_contexts.ts";
import { serveSettings } from "../../server/settings.ts";
import type { FieldReader } from "../../shared/received_fields.ts";
import type { RequestContext } from "../../shared/runtime/ports.ts";
import { FakeClock } from "../support/fake_clock.ts";

/** The app alone, with one worker in its fleet; what it would relay is told to `relayed`. */
function makeTestApp() {
  const relayed: string[] = [];
  const fleet = new Fleet<WorkerLink>({ clock: new FakeClock() });
  fleet.join({
    name: "gpu-1",
    provider: "home",
    models: ["llama3", "meta/llama"],
    endpointPrefixes: ["/v1"],
    maxConcurrent: 4,
    capabilities: new Set(["method", "binary"]),
    linkForm: "framed",
    labels: { zdr: true },
    link: { connection: { peer: "192.0.2.1", connectedAt: new Date(0) } } as unknown as WorkerLink,
  });
  const app = makeApp({
    relay: {
      handle: async (request) => {
        relayed.push(`${request.method} ${new URL(request.url).pathname}`);
        return new Response("relayed");
      },
    },
    fleet,
    line: { length: 2 },
    version: "1.2.3",
    settings: serveSettings.parse({}),
    isAdmin: (headers) => headers.get("authorization") === "Bearer t",
    overrides: () => undefined,
    requests: () => undefined,
    // Not asked here: tests/server/dashboard has it.
    dashboard: undefined as never,
    timeMs: () => 1_700_000_000_000,
  });
  const fetchApp = (path: string, init?: RequestInit) => {
    const request = new Request(`http://relay.test${path}`, init);
    keepContext(request, { target: path, fields: request.headers as FieldReader } as RequestContext);
    return app.fetch(request);
  };
  return { app, relayed, fetchApp };
}

describe("the typed client (Eden) reads what the admin routes say", () => {
  test("/admin/workers: ModelRelay's members and ours", async () => {
    const { data } = await treaty(makeTestApp().app).admin.workers.get();
    const worker = data!.workers[0]!;
    assert.equal(worker.worker_name, "gpu-1");
    assert.deepEqual(worker.models, ["llama3", "meta/llama"]);
    assert.deepEqual(worker.endpoint_prefixes, ["/v1"]);
    assert.deepEqual(worker.labels, { zdr: true });
    assert.equal(worker.link_form, "framed");
    assert.equal(worker.is_draining, false);
  });

  test("/admin/stats", async () => {
    const { data } = await treaty(makeTestApp().app).admin.stats.get();
    assert.deepEqual(data, { queue_depth: { local: 2 }, active_workers: 1 });
  });
});

describe("/health", () => {
  test("says to anybody that the relay lives and how many workers there are, and no more", async () => {
    const health = await (await makeTestApp().fetchApp("/health")).json();
    assert.deepEqual(health, { status: "ok", workers_connected: 1 });
  });

  test("says the rest to who has the admin token", async () => {
    const headers = { authorization: "Bearer t" };
    const health = await (await makeTestApp().fetchApp("/health", { headers })).json();
    assert.equal(health.version, "1.2.3");
    assert.equal(health.queue_depth, 2);
    assert.equal(health.workers[0].provider, "home");
  });
});

describe("HEAD", () => {
  for (const path of ["/health", "/v1/models", "/v1/models/llama3", "/admin/workers", "/admin/stats"]) {
    test(`of ${path} is answered here, not relayed`, async () => {
      const { relayed, fetchApp } = makeTestApp();
      const response = await fetchApp(path, { method: "HEAD" });
      assert.deepEqual([response.status, relayed], [200, []]);
    });
  }
});

describe("the catch-all", () => {
  for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "PROPFIND", "QUERY"]) {
    test(`takes ${method} to any path`, async () => {
      const { relayed, fetchApp } = makeTestApp();
      await fetchApp("/any/path", { method });
      assert.deepEqual(relayed, [`${method} /any/path`]);
    });
  }

  test("does not parse a body, whatever it claims to be", async () => {
    const { relayed, fetchApp } = makeTestApp();
    const headers = { "content-type": "application/json" };
    const response = await fetchApp("/v1/chat/completions", { method: "POST", headers, body: "{not JSON" });
    assert.equal(response.status, 200);
    assert.equal(relayed.length, 1);
  });
});

test("/v1/models/ takes the whole rest as the id", async () => {
  const { fetchApp } = makeTestApp();
  for (const path of ["/v1/models/meta/llama", "/v1/models/meta%2Fllama"]) {
    assert.equal((await (await fetchApp(path)).json()).id, "meta/llama", path);
  }
});
