import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { PrefixIndex } from "../../../server/routing/prefix_index.ts";
import type { WorkerSnapshot } from "../../../server/routing/types.ts";
import { pathMatches, sanitisePrefixes } from "../../../shared/endpoint_prefixes.ts";
import { worker } from "./fleet_builder.ts";

const segment = fc.constantFrom("v1", "v1b", "v", "api", "%2F", "é", "__proto__", "a*", "");
const path = fc
  .tuple(fc.array(segment, { maxLength: 4 }), fc.constantFrom("", "/", "//"))
  .map(([segments, end]) => `/${segments.join("/")}${end}`);
const prefix = fc.oneof(
  path,
  fc.tuple(path, fc.constantFrom("*", "/*", " ", "x", "v*")).map(([start, end]) => start + end),
  fc.constantFrom("*", "v1", "/", "", "/v1\n/api", "/v1\n", "constructor"),
);
const prefixes = fc.array(prefix, { maxLength: 3 }).map((asked) => sanitisePrefixes(asked).prefixes);
/** A worker that joins, or at a place one that leaves. */
const events = fc.array(
  fc.oneof(
    fc.record({ endpointPrefixes: prefixes, draining: fc.boolean(), healthy: fc.boolean() }),
    fc.nat(9),
  ),
  { maxLength: 12 },
);

test("PrefixIndex finds whom pathMatches() finds, while workers come and go", () => {
  let matched = 0;
  fc.assert(
    fc.property(events, fc.array(path, { minLength: 1, maxLength: 6 }), (happenings, paths) => {
      const index = new PrefixIndex();
      const workers: WorkerSnapshot[] = [];
      for (const [at, event] of happenings.entries()) {
        if (typeof event === "object") {
          workers.push(worker(event, at));
          index.add(workers.at(-1)!);
        } else if (workers.length > 0) {
          index.remove(workers.splice(event % workers.length, 1)[0]!);
        }
        for (const one of paths) matched += check(index, workers, one);
      }
    }),
    { numRuns: 2_000 },
  );
  assert.ok(matched > 1_000, `${matched} matches`);
});

function check(index: PrefixIndex, workers: readonly WorkerSnapshot[], path: string): number {
  const wanted = workers.filter(({ endpointPrefixes }) => pathMatches(path, endpointPrefixes));
  const { groups, available } = index.matching(path);
  const found = groups.flatMap((group) => [...group.workers]);
  const byPlace = (a: WorkerSnapshot, b: WorkerSnapshot) => a.joinedAt - b.joinedAt;
  assert.deepEqual(found.sort(byPlace), [...wanted].sort(byPlace), path);
  assert.equal(available, wanted.filter(({ draining, healthy }) => !draining && healthy).length);
  for (const group of groups)
    for (const one of group.workers) assert.deepEqual(one.endpointPrefixes, group.endpointPrefixes);
  return found.length;
}

test("PrefixIndex keeps nothing of workers that left, whatever paths were asked for", () => {
  const index = new PrefixIndex();
  const one = worker({ endpointPrefixes: ["/v1", "/api*"] });
  index.add(one);
  for (const path of ["/v1", "/api-key", "/"]) index.matching(path);
  index.remove(one);
  assert.deepEqual(index, new PrefixIndex());
});
