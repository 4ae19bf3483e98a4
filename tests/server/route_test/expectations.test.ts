import assert from "node:assert/strict";
import { test } from "node:test";
import { dryRun } from "../../../server/route_test/dry_run.ts";
import { judge } from "../../../server/route_test/expectations.ts";
import { readFleet } from "../../../server/route_test/read_scenario.ts";
import {
  type Expectations,
  expectSchema,
  requestSchema,
} from "../../../server/route_test/scenario_schema.ts";
import { testRequest } from "../../../server/route_test/test_request.ts";

const { fleet: FLEET } = readFleet(
  "fleet.toml",
  `worker = [
    { name = "attic", provider = "home/4090", models = ["m"] },
    { name = "rack", provider = "lab", models = ["m"], in_flight = 1 },
    { name = "cellar", models = ["n"] },
  ]
  absent = [{ name = "van", models = ["n"] }]`,
);

const reportOn = (model: string, provider?: Record<string, unknown>) =>
  dryRun(testRequest(requestSchema.parse({ path: "/v1/chat", model, provider })), FLEET);

const ROUTED = reportOn("m", { alow: true });
const REFUSED = reportOn("unheard");

/** A request that names its own endpoint. */
const SENT_AWAY = (() => {
  const { fleet, settings } = readFleet(
    "override.toml",
    `[[override.endpoint]]
    name = "dac"
    patterns = ["https://*.dac.example/**", "https://*.dac.example/x"]
    [[override.key]]
    id = "k1"
    secret = { env = "NOT_READ" }`,
  );
  const headers = { "x-provider-endpoint": "https://a.dac.example/y" };
  const request = requestSchema.parse({ path: "/v1/chat", headers, signed_by: "k1" });
  return dryRun(testRequest(request), fleet, settings);
})();
const FIRST = "https://*.dac.example/**";
const SECOND = "https://*.dac.example/x";

const HOLD: [Expectations, typeof ROUTED][] = [
  [{ decision: "dispatch" }, ROUTED],
  [{ decision: "refuse", code: "model_not_found", failed_rule: "model", order: [], warnings: [] }, REFUSED],
  [{ provider: "home" }, ROUTED],
  [{ provider: "home/4090" }, ROUTED],
  [{ worker: "attic", model: "m" }, ROUTED],
  [{ order: ["attic", "rack"] }, ROUTED],
  [{ order: ["home", "lab"] }, ROUTED],
  [{ order: ["home/4090", "rack"] }, ROUTED],
  [{ rejected: { cellar: "model", van: "model" } }, ROUTED],
  [{ reasons: { attic: "free slot", rack: "busy" } }, ROUTED],
  [{ warnings: ["alow"] }, ROUTED],
  [{ funnel: { connected: 3, model: 2 } }, ROUTED],
  [{ endpoint: "dac", pattern: FIRST, ways: ["signature"], faults: { [SECOND]: "path" } }, SENT_AWAY],
  [{ stripped: ["x-provider-endpoint"] }, SENT_AWAY],
];

for (const [expect, report] of HOLD) {
  test(`judge() finds that this holds: ${JSON.stringify(expect)}`, () => {
    const verdicts = judge(expect, report);
    assert.ok(verdicts.length > 0);
    assert.deepEqual(
      verdicts.filter(({ holds }) => !holds),
      [],
    );
  });
}

const DIFFER: [Expectations, what: string, found: string | RegExp, report?: typeof ROUTED][] = [
  [{ decision: "wait" }, "decision", "dispatch"],
  [{ code: "line_full" }, "code", "none"],
  [{ failed_rule: "only" }, "failed_rule", "model", REFUSED],
  [{ provider: "home/3090" }, "provider", "home/4090"],
  [{ provider: "hom" }, "provider", "home/4090"],
  [{ provider: "home" }, "provider", "none", REFUSED],
  [{ worker: "rack" }, "worker", "attic"],
  [{ model: "n" }, "model", "m"],
  [{ order: ["attic"] }, "order", "attic (home/4090), rack (lab)"],
  [{ order: ["rack", "attic"] }, "order", "attic (home/4090), rack (lab)"],
  [{ order: [] }, "order", "attic (home/4090), rack (lab)"],
  [{ rejected: { cellar: "only" } }, "rejected.cellar", "model"],
  [{ rejected: { attic: "only" } }, "rejected.attic", "none"],
  [{ reasons: { rack: "free slot" } }, "reasons.rack", /busy/],
  [{ warnings: [] }, "warnings", /alow/],
  [{ warnings: ["alow", "more"] }, "warnings", /alow/],
  [{ funnel: { model: 3 } }, "funnel.model", "2"],
  [{ endpoint: "dac" }, "endpoint", "none"],
  [{ pattern: SECOND }, "pattern", FIRST, SENT_AWAY],
  [{ ways: ["key"] }, "ways", "signature", SENT_AWAY],
  [{ ways: ["key"] }, "ways", "none"],
  [{ faults: { [FIRST]: "host" } }, `faults.${FIRST}`, "none", SENT_AWAY],
  [{ faults: { [SECOND]: "host" } }, `faults.${SECOND}`, "path", SENT_AWAY],
  [{ stripped: ["accept"] }, "stripped", "x-provider-endpoint", SENT_AWAY],
];

for (const [expect, what, found, report = ROUTED] of DIFFER) {
  test(`judge() finds that this differs: ${JSON.stringify(expect)}`, () => {
    const [verdict, ...more] = judge(expect, report);
    assert.deepEqual([verdict?.what, verdict?.holds, more], [what, false, []]);
    if (typeof found === "string") assert.equal(verdict?.found, found);
    else assert.match(verdict?.found ?? "", found);
  });
}

test("every expectation there is has been judged here, both ways", () => {
  const keys = Object.keys(expectSchema.shape).sort();
  assert.ok(keys.length > 8);
  for (const cases of [HOLD, DIFFER]) {
    assert.deepEqual([...new Set(cases.flatMap(([expect]) => Object.keys(expect)))].sort(), keys);
  }
});
