import assert from "node:assert/strict";
import { test } from "node:test";
import { dryRun } from "../../../server/route_test/dry_run.ts";
import { judge } from "../../../server/route_test/expectations.ts";
import { readFleet, readScenario } from "../../../server/route_test/read_scenario.ts";
import { read } from "../../architecture/source_tree.ts";

/** What is wrong with files is in `tests/command_line/transcripts/route_test_mistakes.txt`. */

test("readFleet() takes a worker of which only the name is known for one that serves everything", () => {
  const { fleet } = readFleet("f", '[[worker]]\nname = "attic"\n[[worker]]\nname = "rack"\nid = "x"');
  const [attic, rack] = [...fleet.present.workers];
  assert.deepEqual(attic, {
    id: "worker-1",
    name: "attic",
    provider: "local",
    models: new Set(["*"]),
    endpointPrefixes: [],
    maxConcurrent: 1,
    inFlight: 0,
    reportedLoad: 0,
    connected: true,
    draining: false,
    healthy: true,
    capabilities: new Set(["method", "binary"]),
    labels: {},
    linkForm: "framed",
    joinedAt: 1,
    lastTurn: 0,
  });
  assert.deepEqual([rack?.id, rack?.joinedAt], ["x", 2]);
});

test("readFleet() reads a worker's state, and prefixes as a relay does", () => {
  const { fleet } = readFleet(
    "f",
    `[[worker]]
    name = "a"
    endpoint_prefixes = ["v1/", "/api*"]
    max_concurrent = 4
    in_flight = 2
    draining = true
    last_turn = 7
    link_form = "plain"
    labels = { price = { prompt = 1 } }
    [[worker]]
    name = "b"
    healthy = false
    reported_load = 3
    capabilities = ["upgrade"]
    [[absent]]
    name = "c"`,
  );
  const [a, b] = [...fleet.present.workers];
  const [c] = [...fleet.absent.workers];
  assert.deepEqual(
    [a?.endpointPrefixes, a?.reportedLoad, a?.labels],
    [["/v1", "/api*"], 2, { price: { prompt: 1 } }],
  );
  assert.deepEqual([a?.draining, a?.lastTurn, fleet.turn], [true, 7, 7]);
  assert.deepEqual([a?.linkForm, a?.capabilities], ["plain", new Set(["method"])]);
  assert.deepEqual([b?.healthy, b?.reportedLoad, b?.capabilities], [false, 3, new Set(["upgrade"])]);
  assert.deepEqual([c?.connected, c?.id], [false, ""]);
  assert.deepEqual([fleet.present.notDraining, fleet.present.available], [1, 0]);
});

test("readFleet() reads what the relay measured and remembers", () => {
  const { fleet } = readFleet(
    "f",
    `worker = [{ name = "a", id = "x" }]
    absent = [{ name = "gone" }]
    session = [{ session = "s", model = "m", worker = "a" }, { session = "s", worker = "gone" }]
    kept = [{ id = "resp_1", worker = "a" }]
    [[measured]]
    provider = "home/4090"
    model = "m"
    throughput = 30
    latency = { p50 = 1, p90 = 4 }
    [[measured]]
    provider = "home"
    latency = 2`,
  );
  const { measured, affinity } = fleet;
  assert.deepEqual(measured.of("home/4090", "m"), {
    throughput: { p50: 30, p75: 30, p90: 30, p99: 30 },
    latency: { p50: 1, p75: 1, p90: 4, p99: 4 },
  });
  assert.deepEqual(measured.of("home", "")?.latency?.p99, 2);
  assert.equal(measured.of("home", "m"), undefined);
  assert.deepEqual(
    [affinity.sticky("s", "m"), affinity.sticky("s", ""), affinity.sticky("t", "m")],
    ["x", "", undefined],
  );
  assert.deepEqual([affinity.keeper("resp_1"), affinity.keeper("resp_2")], ["x", undefined]);
});

test("the scenario that docs/scenarios.md shows passes", () => {
  const [, ...blocks] = read("docs/scenarios.md").split("```toml\n");
  assert.equal(blocks.length, 1);
  const { title, request, fleet, expect } = readScenario("docs/scenarios.md", blocks[0]!.split("```")[0]!);
  assert.equal(title, "order beats load");
  assert.deepEqual(
    judge(expect, dryRun(request, fleet)).filter(({ holds }) => !holds),
    [],
  );
});
