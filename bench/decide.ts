/**
 * What a decision costs against the size of the fleet: `bun bench/decide.ts [ROUNDS]`.
 *
 * In each fleet 100 workers serve the model that is asked for and the rest serve others. The last column is the cost
 * relative to a fleet of those 100 alone; issue 4 allows 3. The fleets are the hardest for the index: every worker
 * has a list of endpoint prefixes of its own.
 */
import process from "node:process";
import { decide } from "../server/routing/decide.ts";
import type { Preferences, RouteRequest } from "../server/routing/types.ts";
import { fleetOf, request, type WorkerFacts } from "../tests/server/routing/fleet_builder.ts";

const SERVING = 100;
const SIZES = [100, 1_000, 10_000];
const ROUNDS = Number(process.argv[2] ?? 15);
/** One round takes about this long, so that the clock's grain does not matter. */
const ROUND_MS = 40;

const CASES: Record<string, { model?: string | undefined; models?: string[]; preferences?: Preferences }> = {
  "no preferences": {},
  "order, ignore, no fallbacks": {
    preferences: { order: ["p3", "p1"], ignore: ["p2"], allowFallbacks: false },
  },
  "sort by price, max_price, zdr": { preferences: { sort: "price", maxPrice: { prompt: 5 }, zdr: true } },
  "no fallbacks without order": { preferences: { allowFallbacks: false } },
  "two fallback models": { models: ["other-1", "other-2"] },
  "nobody serves it": { model: "unheard" },
};

function fleet(size: number) {
  return fleetOf(
    Array.from({ length: size }, (_, at): WorkerFacts => {
      const serves = at % (size / SERVING) === 0;
      return {
        models: [serves ? "m" : `other-${at}`],
        provider: `p${at % 7}`,
        endpointPrefixes: ["/v1", `/own-${at}`],
        maxConcurrent: 4,
        inFlight: at % 4,
        lastTurn: (at * 7919) % size,
        labels: { zdr: at % 2 === 0, price: { prompt: at % 9 } },
      };
    }),
  );
}

/** Nanoseconds for one decision: the fastest round, which the least else disturbed. */
function cost(asked: RouteRequest, snapshot: ReturnType<typeof fleet>): number {
  let count = 1;
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const from = performance.now();
    for (let at = 0; at < count; at++) decide(asked, snapshot);
    const ms = performance.now() - from;
    if (round > 2 || ROUNDS <= 3) best = Math.min(best, (ms * 1e6) / count);
    count = Math.max(1, Math.round((count * ROUND_MS) / Math.max(ms, 0.01)));
  }
  return best;
}

const fleets = SIZES.map(fleet);
process.stdout.write(
  `${"".padEnd(32)}${SIZES.map((size) => `${size} workers`.padStart(16)).join("")}     ratio\n`,
);
for (const [name, facts] of Object.entries(CASES)) {
  const costs = fleets.map((snapshot) => cost(request(facts as Parameters<typeof request>[0]), snapshot));
  const cells = costs.map((ns) => `${(ns / 1000).toFixed(1)} µs`.padStart(16)).join("");
  process.stdout.write(`${name.padEnd(32)}${cells}${(costs.at(-1)! / costs[0]!).toFixed(2).padStart(10)}\n`);
}
