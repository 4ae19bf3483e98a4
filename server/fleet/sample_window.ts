import type { PercentileName } from "../routing/types.ts";

/** Spec: what is older says little about a backend. */
export const WINDOW_MS = 300_000;

/** Enough for a p99. */
const SAMPLES_MAX = 256;

/** How far apart samples are taken once there are as many as are kept: so they reach back over the whole window. */
const FULL_SPACING_MS = WINDOW_MS / SAMPLES_MAX;

const PERCENTS: readonly (readonly [PercentileName, number])[] = [
  ["p50", 50],
  ["p75", 75],
  ["p90", 90],
  ["p99", 99],
];

export type Percentiles = Readonly<Record<PercentileName, number>>;

/** Measured values of the last five minutes, at most the 256 latest. */
export class SampleWindow {
  readonly #better: "lower" | "higher";
  /** Oldest first. */
  readonly #values: number[] = [];
  readonly #atMs: number[] = [];
  #percentiles: Percentiles | undefined;

  /** `better`: of lower is better p90 is what 90 % were at most, of higher what 90 % reached or exceeded. */
  constructor(better: "lower" | "higher") {
    this.#better = better;
  }

  /** Whether another value would say more than it costs to measure. */
  wants(nowMs: number): boolean {
    return this.#values.length < SAMPLES_MAX || nowMs >= this.#atMs.at(-1)! + FULL_SPACING_MS;
  }

  /** What is no number is not taken: a duration of 0 gives no speed. */
  add(value: number, nowMs: number): void {
    if (!Number.isFinite(value)) return;
    this.#values.push(value);
    this.#atMs.push(nowMs);
    this.#drop(this.#values.length - SAMPLES_MAX);
    this.#percentiles = undefined;
  }

  /** By nearest rank: each is a value that was measured. Undefined without any. */
  percentiles(nowMs: number): Percentiles | undefined {
    this.#drop(this.#expired(nowMs));
    if (this.#values.length === 0) return undefined;
    this.#percentiles ??= nearestRanks(this.#values, this.#better);
    return this.#percentiles;
  }

  #expired(nowMs: number): number {
    const alive = this.#atMs.findIndex((atMs) => atMs + WINDOW_MS > nowMs);
    return alive === -1 ? this.#atMs.length : alive;
  }

  #drop(count: number): void {
    if (count <= 0) return;
    this.#values.splice(0, count);
    this.#atMs.splice(0, count);
    this.#percentiles = undefined;
  }
}

function nearestRanks(values: readonly number[], better: "lower" | "higher"): Percentiles {
  const bestFirst = Float64Array.from(values).sort();
  if (better === "higher") bestFirst.reverse();
  const ranked = PERCENTS.map(([name, percent]) => {
    const rank = Math.ceil((percent * bestFirst.length) / 100);
    return [name, bestFirst[rank - 1]!] as const;
  });
  return Object.fromEntries(ranked) as Record<PercentileName, number>;
}
