import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { treaty } from "@elysiajs/eden";
import { makeApp } from "../../../server/app.ts";
import { Fleet } from "../../../server/fleet.ts";
import type { WorkerLink } from "../../../server/hub/worker_connection.ts";
import { routeReportSchema } from "../../../server/route_test/report.ts";
import { serveSettings } from "../../../server/settings.ts";
import { RelayFailure } from "../../../shared/failures.ts";
import { FakeClock } from "../../support/fake_clock.ts";

/** `POST /admin/route-test` of the app alone: who may call it is the front's business. */
function makeTestApp(settings: object = {}) {
  const fleet = new Fleet<WorkerLink>({ clock: new FakeClock() });
  for (const name of ["attic", "rack"]) {
    fleet.join({
      name,
      provider: "home",
      models: ["llama3", "2024-01-01T00:00:00Z"],
      endpointPrefixes: [],
      maxConcurrent: 1,
      capabilities: new Set(["method", "binary"]),
      linkForm: "framed",
      link: {} as WorkerLink,
    });
  }
  const app = makeApp({
    relay: {
      handle: async () => {
        throw new Error("it was relayed");
      },
    },
    fleet,
    line: { length: 0 },
    version: "1.2.3",
    settings: serveSettings.parse(settings),
    isAdmin: () => true,
    overrides: () => undefined,
    requests: () => undefined,
    // Not asked here: tests/server/dashboard has it.
    dashboard: undefined as never,
    timeMs: () => 0,
  });
  return { app, fleet };
}

const ASKED = { method: "POST", path: "/v1/chat/completions", headers: {}, model: "llama3" };

describe("POST /admin/route-test", () => {
  test("answers the typed client with a report", async () => {
    const relay = treaty(makeTestApp().app, { parseDate: false });
    const { data } = await relay.admin["route-test"].post({ ...ASKED, model: "2024-01-01T00:00:00Z" });
    assert.deepEqual(routeReportSchema.parse(data), data);
    assert.equal(data!.decision.type, "dispatch");
    assert.equal(data!.candidates[0]!.model, "2024-01-01T00:00:00Z");
    assert.equal("fleet" in data!, false);
  });

  test("changes nothing: asked again it says the same", async () => {
    const { app, fleet } = makeTestApp();
    const relay = treaty(app);
    const ask = async () =>
      (await relay.admin["route-test"].post(ASKED)).data!.candidates.map(({ worker }) => worker);
    assert.deepEqual(await ask(), ["attic", "rack"]);
    assert.deepEqual(await ask(), ["attic", "rack"]);
    fleet.reserve({ worker: [...fleet.snapshot().present.workers][0]! })[Symbol.dispose]();
    assert.deepEqual(await ask(), ["rack", "attic"]);
  });

  test("goes by the relay's own settings", async () => {
    const relay = treaty(makeTestApp({ denyPaths: ["/v1"] }).app);
    const { data } = await relay.admin["route-test"].post(ASKED);
    assert.equal(data!.decision.code, "path_not_allowed");
  });

  test("adds the fleet in the form of a scenario, on request", async () => {
    const relay = treaty(makeTestApp().app);
    const { data } = await relay.admin["route-test"].post({ ...ASKED, record: true });
    assert.deepEqual(
      data!.fleet!.worker!.map(({ name }) => name),
      ["attic", "rack"],
    );
  });

  const post = (body: string, type?: string) =>
    makeTestApp().app.fetch(
      new Request("http://relay.test/admin/route-test", {
        method: "POST",
        body,
        headers: type === undefined ? {} : { "content-type": type },
      }),
    );

  for (const type of [undefined, "text/plain", "application/x-www-form-urlencoded"]) {
    test(`reads JSON, though it is said to be ${type ?? "nothing"}`, async () => {
      assert.equal((await post(JSON.stringify(ASKED), type)).status, 200);
    });
  }

  const WRONG: [body: string, detail: string][] = [
    ["{", "the body is not JSON"],
    ["", "the body is not JSON"],
    ["[]", "wanted a table, found []"],
    ["{}", "path: wanted a text that is not empty, found nothing"],
    ['{"path":7}', "path: wanted a text that is not empty, found 7"],
    ['{"path":"/","modle":"m"}', "modle: there is no such key"],
    ['{"path":"/","headers":{"a":1}}', "headers.a: wanted a text or a list of texts, found 1"],
    ['{"path":"v1"}', 'path: "v1" is not a path'],
    ['{"path":"/","body_text":"{"}', "body_text: it is not JSON"],
    ['{"path":"/v1/models","method":"GET"}', "the relay answers GET /v1/models itself"],
  ];
  for (const [body, detail] of WRONG) {
    test(`refuses ${body || "nothing"} with bad_request`, async () => {
      await assert.rejects(Promise.resolve(post(body, "application/json")), (error) => {
        assert.ok(error instanceof RelayFailure);
        assert.deepEqual([error.code, error.options.detail], ["bad_request", detail]);
        return true;
      });
    });
  }
});
