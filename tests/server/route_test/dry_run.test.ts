import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { dryRun } from "../../../server/route_test/dry_run.ts";
import { routeReportSchema } from "../../../server/route_test/report.ts";
import { requestSchema } from "../../../server/route_test/scenario_schema.ts";
import { testRequest } from "../../../server/route_test/test_request.ts";
import { serveSettings } from "../../../server/settings.ts";
import { RelayFailure } from "../../../shared/failures.ts";
import { fleetOf, type WorkerFacts } from "../routing/fleet_builder.ts";

type Table = Partial<Parameters<typeof requestSchema.parse>[0] & object>;

function report(table: Table, workers: WorkerFacts[] = [{}], settings: object = {}) {
  const request = testRequest(requestSchema.parse({ path: "/v1/chat", ...table }));
  const found = dryRun(request, fleetOf(workers), serveSettings.parse(settings));
  assert.deepEqual(routeReportSchema.parse(found), found);
  return found;
}

describe("dryRun() tells what was understood of a request", () => {
  test("of its body", () => {
    const provider = {
      only: ["home"],
      allow_fallbacks: false,
      require_parameters: true,
      data_collection: "deny",
      enforce_distillable_text: true,
      max_price: { prompt: "1" },
      preferred_min_throughput: 10,
      preferred_max_latency: { p90: 2 },
      sort: { by: "price", partition: "none" },
    };
    const body = { model: "m", models: ["n"], session_id: "s", stream: true, provider, tools: [] };
    assert.deepEqual(report({ body }).request, {
      method: "POST",
      path: "/v1/chat",
      model: "m",
      model_in: "body",
      models: ["n"],
      preferences: {
        only: ["home"],
        allow_fallbacks: false,
        sort: "price",
        partition: "none",
        require_parameters: true,
        data_collection: "deny",
        enforce_distillable_text: true,
        max_price: { prompt: 1 },
        preferred_min_throughput: { p50: 10 },
        preferred_max_latency: { p90: 2 },
      },
      session: "s",
      kept_ids: [],
      streaming: true,
      needs: [],
      warnings: [],
    });
  });

  for (const [source, table] of [
    ["header", { method: "GET", model: "m" }],
    ["query", { method: "GET", path: "/v1/realtime?model=m" }],
    ["none", { method: "GET" }],
    [
      "form",
      {
        headers: { "content-type": "multipart/form-data; boundary=b" },
        body_text: '--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nm\r\n--b--\r\n',
      },
    ],
  ] as const) {
    test(`where it names its model: ${source}`, () => {
      const { model, model_in } = report(table as Table).request;
      assert.deepEqual([model, model_in], [source === "none" ? null : "m", source]);
    });
  }

  test("what is kept under ids that it names", () => {
    assert.deepEqual(report({ method: "GET", path: "/v1/files/file-1?x=y" }).request.kept_ids, ["file-1"]);
  });

  test("a body beyond the limit is looked at as far as it", () => {
    const body = { model: "m", padding: "x".repeat(100), provider: { only: ["home"] } };
    const { request } = report({ body }, [{}], { peekLimitBytes: "50" });
    assert.deepEqual([request.model, request.preferences], ["m", {}]);
  });
});

describe("dryRun() refuses what serve refuses before it routes", () => {
  const REFUSED: [name: string, table: Table, status: number, code: string, settings?: object][] = [
    [
      "an endpoint of a provider",
      { headers: { "x-provider-endpoint": "https://a.b" } },
      403,
      "override_not_allowed",
    ],
    ["TRACE", { method: "TRACE" }, 405, "method_not_allowed"],
    ["a WebSocket", { method: "GET", headers: { upgrade: "websocket" } }, 501, "upgrade_unsupported"],
    ["a GET with a body", { method: "GET", body: {} }, 400, "bad_request"],
    ["a path that is denied", {}, 404, "path_not_allowed", { denyPaths: ["/v1"] }],
    [
      "headers beyond the limit",
      { headers: { a: "b".repeat(2000) } },
      431,
      "header_too_large",
      { maxHeaderSizeBytes: "1KiB" },
    ],
    ["a reserved path without anything", { path: "/admin/secrets" }, 404, "not_found"],
    ["a wrong method on a reserved path", { path: "/health" }, 405, "method_not_allowed"],
    ["preferences of the wrong kind", { provider: { order: "home" } }, 400, "invalid_preference"],
  ];
  for (const [name, table, status, code, settings] of REFUSED) {
    test(name, () => {
      const { decision, funnel, candidates } = report(table, [{}], settings);
      assert.deepEqual([decision.type, decision.status, decision.code], ["refuse", status, code]);
      assert.deepEqual([funnel, candidates, decision.failed_rule], [[], [], null]);
    });
  }

  test("and names the endpoint that the request does", () => {
    const { override } = report({ headers: { "x-provider-endpoint": "https://a.b" } });
    assert.deepEqual(
      [override?.endpoint, override?.decision, override?.code],
      ["https://a.b", "refuse", "override_not_allowed"],
    );
  });
});

test("dryRun() throws for what the relay answers itself: nothing routes it", () => {
  assert.throws(
    () => report({ method: "GET", path: "/v1/models/m" }),
    (error) => error instanceof RelayFailure && error.code === "bad_request" && /itself/.test(error.message),
  );
});

test("dryRun() tells of candidates, rejections and the decision what explain() says", () => {
  const found = report({ model: "m" }, [{ maxConcurrent: 4, inFlight: 2 }, { models: ["n"] }]);
  assert.deepEqual(found.decision, {
    type: "dispatch",
    code: null,
    status: null,
    message: null,
    failed_rule: null,
  });
  assert.deepEqual(
    found.funnel.filter(({ rule }) => ["connected", "model"].includes(rule)),
    [
      { rule: "connected", left: 2 },
      { rule: "model", left: 1 },
    ],
  );
  const [{ reason, ...first }, ...more] = found.candidates as [(typeof found.candidates)[0]];
  assert.deepEqual(first, {
    rank: 1,
    worker: "box-1",
    worker_id: "worker-1",
    provider: "local",
    model: "m",
    exact: true,
    load: 2,
    max_concurrent: 4,
    free: true,
  });
  assert.deepEqual([more, reason.length > 0], [[], true]);
  assert.deepEqual(found.rejections, [
    {
      worker: "box-2",
      worker_id: "worker-2",
      provider: "local",
      rule: "model",
      detail: 'wanted "m", it serves n',
    },
  ]);
});
