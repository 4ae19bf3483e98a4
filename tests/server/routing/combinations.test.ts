import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { explain } from "../../../server/routing/explain.ts";
import type { FleetSnapshot, Preferences, RouteRequest } from "../../../server/routing/types.ts";
import { fleetOf, percentiles, request } from "./fleet_builder.ts";
import { naiveDecision } from "./naive_routing.ts";
import { situations } from "./random_situations.ts";

/** Each has a reason to go first by something, and a reason not to. */
const WORKERS = {
  a: { provider: "home/4090", maxConcurrent: 4, inFlight: 1, lastTurn: 5, labels: { price: { prompt: 2 } } },
  b: { provider: "home/3090", maxConcurrent: 4, inFlight: 2, lastTurn: 6, labels: { price: { prompt: 1 } } },
  c: { provider: "lab", maxConcurrent: 8, inFlight: 3, lastTurn: 4, labels: { price: { completion: 3 } } },
  d: { provider: "lab", maxConcurrent: 4, inFlight: 0, lastTurn: 7, labels: { price: { completion: 3 } } },
  e: {
    provider: "cloud",
    maxConcurrent: 100,
    inFlight: 5,
    lastTurn: 8,
    labels: { price: { prompt: 5, completion: 5 } },
  },
  f: { provider: "attic", maxConcurrent: 1, inFlight: 1, lastTurn: 1 },
  g: { provider: "annex", models: ["*"], maxConcurrent: 2, lastTurn: 3, labels: { price: { prompt: 1.5 } } },
};
const LETTERS = Object.keys(WORKERS);
const MEASURED = [
  ["home/4090", 60, 0.4],
  ["home/3090", 30, 0.5],
  ["lab", 80, 0.9],
  ["attic", 90, 0.1],
] as const;
const fleet = fleetOf(Object.values(WORKERS), [], {
  measured: MEASURED.map(([provider, tokensPerS, seconds]) => [
    provider,
    "m",
    { throughput: percentiles(tokensPerS), latency: percentiles(seconds) },
  ]),
});

const GIVEN = {
  order: { order: ["lab", "gone", "home/3090", "attic"] },
  only: { only: ["home", "lab", "attic", "cloud"] },
  ignore: { ignore: ["cloud", "home/4090"] },
  allow_fallbacks: { allowFallbacks: false },
  sort: { sort: "price" },
} as const satisfies Record<string, Preferences>;

/** Which fields are given, and the candidates, best first: who is busy last. Written down by hand. */
const ROWS: readonly (readonly [fields: string, candidates: string])[] = [
  ["", "d e a c b g f"],
  ["order", "d c b e a g f"],
  ["only", "d e a c b f"],
  ["ignore", "d c b g f"],
  ["allow_fallbacks", "d c"],
  ["sort", "b g a d c e f"],
  ["order only", "d c b e a f"],
  ["order ignore", "d c b g f"],
  ["order allow_fallbacks", "d c b f"],
  ["order sort", "d c b e a g f"],
  ["only ignore", "d c b f"],
  ["only allow_fallbacks", "d c"],
  ["only sort", "b a d c e f"],
  ["ignore allow_fallbacks", "d c"],
  ["ignore sort", "b g d c f"],
  // The cheapest takes nothing, is busy and is the one that is allowed.
  ["allow_fallbacks sort", "f"],
  ["order only ignore", "d c b f"],
  ["order only allow_fallbacks", "d c b f"],
  ["order only sort", "d c b e a f"],
  ["order ignore allow_fallbacks", "d c b f"],
  ["order ignore sort", "d c b g f"],
  ["order allow_fallbacks sort", "d c b f"],
  ["only ignore allow_fallbacks", "d c"],
  ["only ignore sort", "b d c f"],
  ["only allow_fallbacks sort", "f"],
  ["ignore allow_fallbacks sort", "f"],
  ["order only ignore allow_fallbacks", "d c b f"],
  ["order only ignore sort", "d c b f"],
  ["order only allow_fallbacks sort", "d c b f"],
  ["order ignore allow_fallbacks sort", "d c b f"],
  ["only ignore allow_fallbacks sort", "f"],
  ["order only ignore allow_fallbacks sort", "d c b f"],
];

const preferencesOf = (fields: string): Preferences =>
  Object.assign({}, ...fields.split(" ").map((field) => GIVEN[field as keyof typeof GIVEN] ?? {}));
const lettersOf = (names: readonly string[]) =>
  names.map((name) => LETTERS[Number(name.split(/[- ]/)[1]) - 1]).join(" ");

test("all 2^5 combinations of order, only, ignore, allow_fallbacks and sort are in the table", () => {
  assert.equal(ROWS.length, 2 ** 5);
  assert.equal(new Set(ROWS.map(([fields]) => fields.split(" ").sort().join(" "))).size, 2 ** 5);
  for (const [fields] of ROWS)
    for (const field of fields.split(" ")) assert.ok(!field || field in GIVEN, field);
});

for (const [fields, candidates] of ROWS) {
  test(`decide() with ${fields || "no preferences"} gives ${candidates}`, () => {
    const asked = request({ preferences: preferencesOf(fields) });
    const explained = explain(asked, fleet);
    assert.equal(lettersOf(explained.candidates.map(({ worker }) => worker.id)), candidates);
    assert.equal(explained.decision.type, candidates === "f" ? "wait" : "dispatch");
    assert.equal(lettersOf(naiveDecision(asked, fleet).order), candidates);
  });
}

test("decide() with each combination and each sort is what the text says", () => {
  for (const sort of ["price", "throughput", "latency", "load", "exacto"] as const) {
    for (const [fields] of ROWS)
      checkAgainstText(request({ preferences: { ...preferencesOf(fields), sort } }), fleet);
  }
});

test("decide() is what the text says of any fleet and request", () => {
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(situations, ({ request: facts, present, absent, known }) => {
      const type = checkAgainstText(request(facts), fleetOf(present, absent, known));
      seen.set(type, (seen.get(type) ?? 0) + 1);
    }),
    { numRuns: 2_000 },
  );
  for (const type of ["dispatch", "wait", "refuse"])
    assert.ok((seen.get(type) ?? 0) > 100, `${type}: ${seen.get(type)}`);
});

function checkAgainstText(asked: RouteRequest, snapshot: FleetSnapshot): string {
  const naive = naiveDecision(asked, snapshot);
  const { decision, candidates } = explain(asked, snapshot);
  const named = (list: typeof candidates | readonly Omit<(typeof candidates)[number], "reason">[]) =>
    list.map(({ worker, model }) => `${worker.id} ${model}`);
  assert.deepEqual(named(candidates), naive.order);
  assert.equal(decision.type, naive.type);
  assert.deepEqual(
    decision.funnel.map(({ rule, left }) => [rule, left]),
    naive.funnel,
  );
  if (decision.type !== "refuse") assert.deepEqual(named(decision.candidates), naive.order.slice(0, 4));
  return decision.type;
}
