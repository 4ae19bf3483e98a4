import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Measurements } from "../../../server/fleet/measurements.ts";

const MINUTE_MS = 60_000;
const HOME = { provider: "home/4090", model: "m" };

function setUp() {
  const measurements = new Measurements();
  return { measurements, home: (nowMs: number) => measurements.at(nowMs).of(HOME.provider, HOME.model) };
}

/** The best value that at least so many percent of the samples are as good as. */
function naive(samples: readonly number[], percent: number, better: "lower" | "higher"): number {
  const asGood = (limit: number) =>
    samples.filter((sample) => (better === "lower" ? sample <= limit : sample >= limit)).length;
  const reached = samples.filter((limit) => asGood(limit) * 100 >= percent * samples.length);
  return better === "lower" ? Math.min(...reached) : Math.max(...reached);
}

const all = (samples: readonly number[], better: "lower" | "higher") => ({
  p50: naive(samples, 50, better),
  p75: naive(samples, 75, better),
  p90: naive(samples, 90, better),
  p99: naive(samples, 99, better),
});

test("of ten samples, p90 of latency is what nine were at most, of throughput what nine reached", () => {
  const { measurements, home } = setUp();
  for (const value of [7, 3, 10, 1, 5, 9, 2, 8, 4, 6])
    measurements.record({ ...HOME, latencyS: value, tokensPerS: value }, 0);
  assert.deepEqual(home(0), {
    latency: { p50: 5, p75: 8, p90: 9, p99: 10 },
    throughput: { p50: 6, p75: 3, p90: 2, p99: 1 },
  });
});

/** `ask`: a view between samples must not be what later ones give. */
const sample = fc.record({
  latencyS: fc.float({ min: 0, max: 10, noNaN: true }),
  tokensPerS: fc.float({ min: 0, max: 200, noNaN: true }),
  afterMs: fc.oneof(fc.constant(0), fc.nat(MINUTE_MS)),
  ask: fc.boolean(),
});

test("percentiles are those of the samples of five minutes", () => {
  fc.assert(
    fc.property(fc.array(sample, { minLength: 1, maxLength: 60 }), (samples) => {
      const { measurements, home } = setUp();
      const seen: { atMs: number; latencyS: number; tokensPerS: number }[] = [];
      let nowMs = 0;
      for (const { latencyS, tokensPerS, afterMs, ask } of samples) {
        nowMs += afterMs;
        measurements.record({ ...HOME, latencyS, tokensPerS }, nowMs);
        seen.push({ atMs: nowMs, latencyS, tokensPerS });
        if (!ask) continue;
        const recent = seen.filter(({ atMs }) => nowMs - atMs < 5 * MINUTE_MS);
        const latencies = recent.map(({ latencyS }) => latencyS);
        const throughputs = recent.map(({ tokensPerS }) => tokensPerS);
        assert.deepEqual(home(nowMs), {
          latency: all(latencies, "lower"),
          throughput: all(throughputs, "higher"),
        });
      }
    }),
  );
});

test("a sample counts for five minutes, to the millisecond, and nothing else need happen for it to go", () => {
  const { measurements, home } = setUp();
  measurements.record({ ...HOME, latencyS: 1 }, 0);
  measurements.record({ ...HOME, latencyS: 3 }, MINUTE_MS);
  assert.equal(home(5 * MINUTE_MS - 1)?.latency?.p50, 1);
  assert.equal(home(5 * MINUTE_MS)?.latency?.p50, 3);
  assert.equal(home(6 * MINUTE_MS), undefined);
});

test("what was not measured is absent", () => {
  const { measurements, home } = setUp();
  assert.equal(home(0), undefined);
  measurements.record(HOME, 0);
  measurements.record({ ...HOME, tokensPerS: Number.POSITIVE_INFINITY, latencyS: Number.NaN }, 0);
  assert.equal(home(0), undefined);
  measurements.record({ ...HOME, tokensPerS: 20 }, 0);
  assert.deepEqual(home(0), { throughput: { p50: 20, p75: 20, p90: 20, p99: 20 } });
});

test("providers, variants and models are measured apart", () => {
  const { measurements } = setUp();
  const pairs = [
    ["home", "m"],
    ["home/4090", "m"],
    ["home", "n"],
    ["home", ""],
  ] as const;
  for (const [at, [provider, model]] of pairs.entries())
    measurements.record({ provider, model, latencyS: at }, 0);
  const found = pairs.map(([provider, model]) => measurements.at(0).of(provider, model)?.latency?.p50);
  assert.deepEqual(found, [0, 1, 2, 3]);
});

test("the same view is computed once, and again when a sample came", () => {
  const { measurements, home } = setUp();
  measurements.record({ ...HOME, latencyS: 1 }, 0);
  const first = home(0)?.latency;
  assert.equal(home(1)?.latency, first);
  measurements.record({ ...HOME, latencyS: 2 }, 2);
  assert.notEqual(home(2)?.latency, first);
});

test("of a busy provider the 256 latest samples count", () => {
  const { measurements, home } = setUp();
  for (let at = 0; at < 256; at++) measurements.record({ ...HOME, latencyS: 1 }, at);
  for (let at = 0; at < 256; at++) measurements.record({ ...HOME, latencyS: 7 }, 256);
  assert.equal(home(256)?.latency?.p50, 7);
});

test("models that clients make up push out the oldest, not the latest", () => {
  const { measurements } = setUp();
  for (let at = 0; at < 10_000; at++)
    measurements.record({ provider: "home", model: `m${at}`, latencyS: 1 }, at);
  const view = measurements.at(10_000);
  const known = Array.from({ length: 10_000 }, (_, at) => view.of("home", `m${at}`)).filter(Boolean).length;
  assert.ok(known >= 2_048 && known <= 4_096, `${known}`);
  assert.ok(view.of("home", "m9999"));
});

test("a full window takes one more value each 1.2 s, so that it reaches back over all of the five minutes", () => {
  const measurements = new Measurements();
  const at = { provider: "home", model: "m" };
  let nowMs = 0;
  for (let count = 0; count < 256; count++) {
    assert.equal(measurements.wants("home", "m", nowMs), true);
    measurements.record({ ...at, latencyS: 1 }, nowMs++);
  }
  assert.equal(measurements.wants("home", "m", nowMs), false);
  assert.equal(measurements.wants("home", "m", nowMs + 1_170), false);
  assert.equal(measurements.wants("home", "m", nowMs + 1_171), true);
  assert.equal(measurements.wants("home", "n", nowMs), true);
});
