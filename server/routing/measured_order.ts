import type { Cutoffs, Measured, MeasuredView, PercentileName } from "./types.ts";
import type { Choice, Wanted } from "./wanted.ts";

/** 0: meets all cut-offs; 1: for some there is no data, and it misses none; 2: misses one. */
export function cutoffClass(choice: Choice, wanted: Wanted): 0 | 1 | 2 {
  const { minThroughput, maxLatency } = wanted.preferences;
  const { throughput, latency } = measuredOf(choice, wanted) ?? NOTHING;
  if (misses(throughput, minThroughput, 1) || misses(latency, maxLatency, -1)) return 2;
  return (minThroughput && !throughput) || (maxLatency && !latency) ? 1 : 0;
}

export function median(choice: Choice, wanted: Wanted, what: "throughput" | "latency"): number | undefined {
  return measuredOf(choice, wanted)?.[what]?.p50;
}

function measuredOf({ worker, at }: Choice, { measured, models }: Wanted): Measured | undefined {
  return measured.of(worker.provider, models[at]!.name ?? "");
}

const NOTHING: Measured = {};
const PERCENTILES = ["p50", "p75", "p90", "p99"] as const;

/** `better`: 1 when more is better, -1 when less is. */
function misses(
  found: Readonly<Record<PercentileName, number>> | undefined,
  cutoffs: Cutoffs | undefined,
  better: 1 | -1,
): boolean {
  if (!found || !cutoffs) return false;
  for (const name of PERCENTILES) {
    const wanted = cutoffs[name];
    if (wanted !== undefined && found[name] * better < wanted * better) return true;
  }
  return false;
}

/** Looks up each provider and model once: a decision compares each worker with several others. */
export class MeasuredOnce implements MeasuredView {
  readonly #view: MeasuredView;
  /** By model, then by provider. */
  #found: Map<string, Map<string, Measured | undefined>> | undefined;

  constructor(view: MeasuredView) {
    this.#view = view;
  }

  of(provider: string, model: string): Measured | undefined {
    this.#found ??= new Map();
    let ofModel = this.#found.get(model);
    if (!ofModel) {
      ofModel = new Map();
      this.#found.set(model, ofModel);
    }
    if (!ofModel.has(provider)) ofModel.set(provider, this.#view.of(provider, model));
    return ofModel.get(provider);
  }
}
