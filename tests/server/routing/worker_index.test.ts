import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LiveWorkerIndex } from "../../../server/routing/worker_index.ts";
import { worker } from "./fleet_builder.ts";

const facts = fc.record({
  models: fc.uniqueArray(fc.constantFrom("m", "n", "*")),
  endpointPrefixes: fc.constantFrom([], ["/v1"], ["/v1\n/api"], ["/v1", "/api"]),
  draining: fc.boolean(),
  healthy: fc.boolean(),
});

test("LiveWorkerIndex is after any changes what it would be if it were built anew", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ facts, fate: fc.constantFrom("stays", "leaves", "changes"), after: facts })),
      (rows) => {
        const index = new LiveWorkerIndex();
        const expected = new LiveWorkerIndex();
        const workers = rows.map((row, at) => worker(row.facts, at));
        for (const one of workers) index.add(one);
        for (const [at, { fate, after }] of rows.entries()) {
          const one = workers[at]!;
          const changed = { ...worker(after, at) };
          if (fate === "leaves") index.remove(one);
          if (fate === "changes") index.change(one, () => Object.assign(one, changed));
        }
        for (const [at, { fate }] of rows.entries()) if (fate !== "leaves") expected.add(workers[at]!);
        assert.deepEqual(index, expected);
        assert.deepEqual([...index.workers], [...expected.workers]);
      },
    ),
    { numRuns: 300 },
  );
});

test("LiveWorkerIndex keeps nothing of workers that left", () => {
  const index = new LiveWorkerIndex();
  const one = worker({ models: ["m", "*"], endpointPrefixes: ["/v1"] });
  index.add(one);
  index.remove(one);
  index.remove(one);
  assert.deepEqual(index, new LiveWorkerIndex());
});
