import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { dryRun, routeRequestOf } from "../../../server/route_test/dry_run.ts";
import { judge } from "../../../server/route_test/expectations.ts";
import { readScenario } from "../../../server/route_test/read_scenario.ts";
import { recordScenario } from "../../../server/route_test/record.ts";
import { recordFleet } from "../../../server/route_test/record_fleet.ts";
import { requestSchema } from "../../../server/route_test/scenario_schema.ts";
import { testRequest } from "../../../server/route_test/test_request.ts";
import type { FleetSnapshot } from "../../../server/routing/types.ts";
import { fleetOf } from "../routing/fleet_builder.ts";

const models = fc.uniqueArray(fc.constantFrom("m", "n", "*", 'a "quoted" one', "ü"));
const percentiles = fc.record({
  p50: fc.integer({ min: 1, max: 3 }),
  p75: fc.constant(2),
  p90: fc.constant(2),
  p99: fc.constant(2),
});
const worker = fc.record({
  name: fc.constantFrom("worker", "attic", "", "\u001b[1m"),
  provider: fc.constantFrom("home", "home/4090", "lab"),
  models,
  endpointPrefixes: fc.constantFrom([], ["/v1"], ["/?"], ["/v*"]),
  maxConcurrent: fc.integer({ min: 1, max: 3 }),
  inFlight: fc.integer({ min: 0, max: 3 }),
  reportedLoad: fc.integer({ min: 0, max: 3 }),
  draining: fc.boolean(),
  healthy: fc.boolean(),
  linkForm: fc.constantFrom("plain", "framed"),
  capabilities: fc.uniqueArray(fc.constantFrom("method", "binary")),
  labels: fc.constantFrom({}, { zdr: true }, { price: { prompt: 2 }, models: { "m.x": { zdr: false } } }),
  lastTurn: fc.integer({ min: 0, max: 3 }),
});
const preferences = fc.record(
  {
    only: fc.constant(["home"]),
    order: fc.constantFrom(["lab"], ["home/4090", "lab"]),
    sort: fc.constantFrom("price", "throughput", "latency"),
    zdr: fc.boolean(),
    allow_fallbacks: fc.boolean(),
    preferred_max_latency: fc.constant(2),
  },
  { requiredKeys: [] },
);
const table = fc.record(
  {
    path: fc.constantFrom("/v1/chat", "/other", "/v1/files/file-1"),
    method: fc.constantFrom("POST", "GET", "TRACE"),
    model: fc.constantFrom("m", "n", "unheard", "ü"),
    session: fc.constant("s"),
    provider: preferences,
  },
  { requiredKeys: ["path", "method"] },
);

/** A relay that has seen something of everything. */
function knowing(
  fleet: FleetSnapshot,
  measured: { throughput: Record<"p50" | "p75" | "p90" | "p99", number> },
): FleetSnapshot {
  const ids = [...fleet.present.workers].map(({ id }) => id);
  return {
    ...fleet,
    measured: { of: (provider) => (provider === "lab" ? measured : undefined) },
    affinity: { sticky: () => ids.at(-1), keeper: () => ids[0] },
  };
}

const situation = fc
  .record({
    asked: table,
    present: fc.array(worker, { maxLength: 5 }),
    gone: fc.array(worker, { maxLength: 2 }),
    throughput: percentiles,
  })
  .map(({ asked, present, gone, throughput }) => {
    const absent = gone.map((one) => ({ ...one, draining: false, healthy: true }));
    return { request: requestSchema.parse(asked), fleet: knowing(fleetOf(present, absent), { throughput }) };
  });

test("recordScenario() writes a file that passes, of any fleet and request", () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(situation, ({ request, fleet }) => {
      const sent = testRequest(request);
      const report = dryRun(sent, fleet);
      const text = recordScenario(request, recordFleet(fleet, routeRequestOf(sent)), report);
      const scenario = readScenario("recorded.toml", text);
      const found = dryRun(scenario.request, scenario.fleet);
      const differences = judge(scenario.expect, found).filter(({ holds }) => !holds);
      assert.deepEqual(differences, [], text);
      assert.deepEqual(found.funnel, report.funnel);
      seen.add(report.decision.type);
    }),
    { numRuns: 500 },
  );
  assert.deepEqual([...seen].sort(), ["dispatch", "refuse", "wait"]);
});

test("recordFleet() keeps to the request: nothing of other models, sessions and ids", () => {
  const fleet = knowing(fleetOf([{ provider: "lab" }]), { throughput: { p50: 1, p75: 1, p90: 1, p99: 1 } });
  const plain = testRequest(requestSchema.parse({ path: "/v1/chat", model: "m" }));
  const { measured, session, kept } = recordFleet(fleet, routeRequestOf(plain));
  assert.deepEqual([measured, session, kept], [[{ provider: "lab", model: "m", throughput: 1 }], [], []]);
});

test("recordScenario() refuses what a scenario has no room for", () => {
  const request = requestSchema.parse({ path: "/v1/chat", model: "m" });
  const fleet = fleetOf([{}]);
  const report = dryRun(testRequest(request), fleet);
  const denied = {
    ...report,
    decision: { ...report.decision, type: "refuse" as const, code: "path_not_allowed" },
    candidates: [],
  };
  assert.throws(() => recordScenario(request, recordFleet(fleet, undefined), denied), {
    message:
      "Cannot record the scenario: the relay says refuse with path_not_allowed, a scenario of it dispatch",
  });
});
