import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { decide } from "../../../server/routing/decide.ts";
import type { LiveWorkerIndex } from "../../../server/routing/worker_index.ts";
import { BUN } from "../../support/runtimes.ts";
import { fleetOf, type RequestFacts, request, worker } from "./fleet_builder.ts";

/** A decision costs what its candidates cost: issue 4 allows a fleet of 10,000 three times what its 100 cost alone. */

const SERVING = 100;
const SIZE = 10_000;

const CASES: Record<string, RequestFacts> = {
  "no preferences": {},
  "every filter": {
    preferences: {
      only: ["p1", "p2"],
      ignore: ["p3"],
      zdr: true,
      maxPrice: { prompt: 1 },
      quantizations: ["int8"],
    },
  },
  "order without fallbacks": { preferences: { order: ["p1"], allowFallbacks: false } },
  "no fallbacks and no order": { preferences: { allowFallbacks: false } },
  "sort by price": { preferences: { sort: "price" } },
  "two models": { models: ["n"] },
  "a model that nobody has": { model: "unheard" },
};

test("decide() looks at no worker of a large fleet that does not serve the model", () => {
  const fleet = fleetOf([]);
  const present = fleet.present as LiveWorkerIndex;
  let looks = 0;
  for (let at = 1; at <= SIZE; at++) {
    const serves = at <= SERVING;
    const one = worker(
      {
        models: [serves ? "m" : `other-${at}`],
        provider: `p${at % 5}`,
        endpointPrefixes: ["/v1", `/own-${at}`],
      },
      at,
    );
    const seen = new Proxy(one, {
      get(target, key, receiver) {
        looks++;
        return Reflect.get(target, key, receiver);
      },
    });
    present.add(serves ? one : seen);
  }
  assert.ok(looks > SIZE - SERVING, "the index was built from them");
  for (const [name, facts] of Object.entries(CASES)) {
    const asked = request(facts);
    // What the prefixes match is worked out once after each change of the fleet.
    decide(asked, fleet);
    looks = 0;
    decide(asked, fleet);
    assert.equal(looks, 0, name);
  }
});

test("bench/decide.ts prints what a decision costs against the size of the fleet", () => {
  const { stdout, stderr, status } = spawnSync(
    BUN,
    [join(import.meta.dirname, "../../../bench/decide.ts"), "1"],
    { encoding: "utf8" },
  );
  assert.equal(status, 0, stderr);
  const [head, ...rows] = stdout.trimEnd().split("\n");
  assert.match(head!, /100 workers +1000 workers +10000 workers +ratio/);
  assert.ok(rows.length >= 6);
  for (const row of rows) {
    const cells = /( +[\d.]+ µs){3} +(?<ratio>[\d.]+)$/.exec(row);
    assert.ok(cells, row);
  }
});
