import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ClientKey } from "../../../server/keys/keys_file.ts";
import { OverrideTrust } from "../../../server/override/trust.ts";
import type { LiveOverride } from "../../../server/route_test/dry_override.ts";
import { dryRun } from "../../../server/route_test/dry_run.ts";
import { routeReportSchema } from "../../../server/route_test/report.ts";
import { requestSchema } from "../../../server/route_test/scenario_schema.ts";
import { testRequest } from "../../../server/route_test/test_request.ts";
import { serveSettings } from "../../../server/settings.ts";
import { RelayFailure } from "../../../shared/failures.ts";
import { signatureOf } from "../../support/override_signature.ts";
import { fleetOf } from "../routing/fleet_builder.ts";

const SECRET = "secret-of-an-upstream-0123456789-012";
const ENDPOINT = "https://unit1.dac.example/20240101/chat";
const VERTEX = "https://europe-west4.vertex.example/v1/models/m";
const POLICY = {
  listen: "127.0.0.1:9090",
  endpoint: [
    {
      name: "dac",
      patterns: ["https://*.dac.example/20240101/**"],
      provider: "oci",
      credential: "passthrough",
    },
    { name: "vertex", patterns: ["https://{region}.vertex.example/v1/models/*"] },
    { name: "same", patterns: ["https://unit1.dac.example/20240101/chat"], credential: "passthrough" },
  ],
  key: [
    { id: "k1", secret: { env: "NOT_READ" } },
    { id: "k2", secret: { env: "NOT_READ" }, endpoints: ["vertex"] },
  ],
};

type Table = Partial<Parameters<typeof requestSchema.parse>[0] & object>;

function report(table: Table, policy: object | undefined = POLICY, liveOverride?: LiveOverride) {
  const { headers = {}, ...rest } = table as { headers?: object };
  const named = { "x-provider-endpoint": ENDPOINT, ...headers };
  const request = testRequest(requestSchema.parse({ path: "/v1/chat", model: "m", headers: named, ...rest }));
  const settings = serveSettings.parse({
    listen: "127.0.0.1:8080",
    ...(policy && { override: policy }),
    apiKeysFile: "k",
  });
  const found = dryRun(request, fleetOf([{}]), { ...settings, liveOverride });
  assert.deepEqual(routeReportSchema.parse(found), found);
  return found;
}

const KEY = { scopes: ["override"] };

const REFUSED: [name: string, table: Table, outcome: string, problem?: RegExp, policy?: object][] = [
  ["without a credential", {}, "401 unauthorized", /shows no API key and no signature/],
  ["with a key that may not", { key: {} }, "403 override_not_allowed", /lacks the scope override/],
  ["by a key id that is unknown", { signed_by: "k3" }, "403 override_not_allowed", /is not right/],
  ["for other endpoints", { signed_by: "k2" }, "403 override_not_allowed"],
  [
    "where two ways are required",
    { key: KEY },
    "403 override_not_allowed",
    /listener that is for overrides too/,
    { ...POLICY, require: ["key", "listener"] },
  ],
  ["that is no URL", { key: KEY, headers: { "x-provider-endpoint": "dac" } }, "400 override_invalid"],
  [
    "that is not listed",
    { key: KEY, headers: { "x-provider-endpoint": "https://dac.example/x" } },
    "403 override_not_listed",
  ],
  [
    "that serves another provider",
    { key: KEY, headers: { "x-model-provider": "vertex" } },
    "400 override_invalid",
  ],
  [
    "and Connection names it",
    { key: KEY, headers: { connection: "x-provider-endpoint" } },
    "400 override_invalid",
  ],
  [
    "on a path of the relay's own",
    { key: KEY, path: "/v1/models", method: "GET" },
    "403 override_not_allowed",
  ],
  ["with TRACE", { key: KEY, method: "TRACE" }, "405 method_not_allowed"],
  [
    "as a WebSocket",
    { key: KEY, method: "GET", headers: { upgrade: "websocket" } },
    "501 upgrade_unsupported",
  ],
];

const UNKNOWABLE: [name: string, table: Table, detail: RegExp, policy?: object][] = [
  ["a signature without a relay", { headers: { "x-provider-signature": "v1;t=1" } }, /running relay/],
  ["a listener that is not there", { on_listener: true }, /has no listen/, { ...POLICY, listen: undefined }],
];

describe("of a request that names its own endpoint, dryRun()", () => {
  test("tells where it goes, as what, and what stays here", () => {
    const headers = {
      authorization: "Bearer x",
      "x-provider-authorization": "Bearer y",
      "x-model-provider": "oci",
    };
    const { decision, override, candidates, funnel } = report({ key: { ...KEY, name: "alice" }, headers });
    assert.equal(decision.type, "dispatch");
    assert.deepEqual([candidates, funnel], [[], []]);
    assert.deepEqual(override, {
      endpoint: ENDPOINT,
      decision: "provider",
      code: null,
      name: "dac",
      pattern: "https://*.dac.example/20240101/**",
      provider: "oci",
      scheme: "https",
      host: "unit1.dac.example",
      port: 443,
      credential: "passthrough",
      trust: { ways: ["key"], by: "alice", problem: null },
      stripped: ["authorization", "x-model-provider", "x-provider-authorization", "x-provider-endpoint"],
      patterns: [
        { name: "dac", pattern: "https://*.dac.example/20240101/**", fault: null },
        {
          name: "vertex",
          pattern: "https://{region}.vertex.example/v1/models/*",
          fault: { part: "host", detail: "a label is not vertex" },
        },
        {
          name: "same",
          pattern: "https://unit1.dac.example/20240101/chat",
          fault: { part: "x-model-provider", detail: "none must be sent" },
        },
      ],
    });
  });

  for (const [name, table, outcome, problem, policy] of REFUSED) {
    test(`refuses one ${name}`, () => {
      const { decision, override } = report(table, policy);
      assert.equal(`${decision.status} ${decision.code}`, outcome);
      if (problem) assert.match(`${override?.trust.problem}`, problem);
      else assert.equal(override?.trust.problem, null);
      if (override?.decision === "refuse") assert.deepEqual([override.name, override.stripped], [null, []]);
    });
  }
});

describe("to who runs the relay, dryRun()", () => {
  test("shows the patterns too of a request that is not trusted", () => {
    assert.deepEqual(
      report({}).override?.patterns.map(({ fault }) => fault?.part ?? "ok"),
      ["ok", "host", "ok"],
    );
  });

  test("believes what the request is said to come with", () => {
    const ways = (table: Table) => report(table).override?.trust;
    assert.deepEqual(ways({ signed_by: "k1" }), { ways: ["signature"], by: "k1", problem: null });
    assert.deepEqual(ways({ on_listener: true }), { ways: ["listener"], by: null, problem: null });
    const vertex = { signed_by: "k2", headers: { "x-provider-endpoint": VERTEX } };
    assert.equal(report(vertex).override?.name, "vertex");
    const limited = { scopes: ["override"], override_endpoints: ["vertex"] };
    assert.equal(report({ key: limited }).override?.patterns[0]?.fault?.part, "grant");
  });

  for (const [name, table, detail, policy] of UNKNOWABLE) {
    test(`does not judge ${name}`, () => {
      assert.throws(
        () => report(table, policy),
        (error) =>
          error instanceof RelayFailure && error.code === "bad_request" && detail.test(error.message),
      );
    });
  }
});

describe("of a running relay, dryRun()", () => {
  const key: ClientKey = { name: "upstream", scopes: new Set(["override"]) };
  const trust = new OverrideTrust({
    signingKeys: [{ id: "k1", secret: () => SECRET }],
    require: [],
    nowS: () => Math.floor(Date.now() / 1000),
  });
  const live: LiveOverride = {
    judge: (evidence) => trust.judge(evidence),
    findKey: (headers) => (headers.get("authorization") === "Bearer k" ? key : undefined),
    ports: new Set(),
  };

  test("finds the key that the headers show", () => {
    const { override } = report({ headers: { authorization: "Bearer k" } }, POLICY, live);
    assert.deepEqual(override?.trust, { ways: ["key"], by: "upstream", problem: null });
    assert.equal(report({}, POLICY, live).decision.code, "unauthorized");
  });

  test("verifies a signature and leaves it unused", () => {
    const signature = signatureOf({ secret: SECRET, endpoint: ENDPOINT, target: "/v1/chat" });
    const signed = { headers: { "x-provider-signature": signature } };
    for (let times = 0; times < 3; times++) {
      assert.deepEqual(report(signed, POLICY, live).override?.trust.ways, ["signature"]);
    }
    const request = { method: "POST", target: "/v1/chat", endpoint: ENDPOINT, modelProvider: "" };
    trust.grant({ key: undefined, onListener: false, signature, request });
    assert.match(`${report(signed, POLICY, live).override?.trust.problem}`, /was used before/);
  });
});
