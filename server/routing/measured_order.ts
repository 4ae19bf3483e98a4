import type { Choice } from "./orders.ts";
import type { Cutoffs, Measured, PercentileName } from "./types.ts";
import type { Wanted } from "./wanted.ts";

/** 0: meets all cut-offs; 1: for some there is no data, and it misses none; 2: misses one. */
export function cutoffClass(choice: Choice, wanted: Wanted): 0 | 1 | 2 {
  const { minThroughput, maxLatency } = wanted.preferences;
  const measured = measuredOf(choice, wanted);
  const met = [
    ...compared(minThroughput, measured?.throughput, (found, wanted) => found >= wanted),
    ...compared(maxLatency, measured?.latency, (found, wanted) => found <= wanted),
  ];
  if (met.includes(false)) return 2;
  return met.includes(undefined) ? 1 : 0;
}

export function median(choice: Choice, wanted: Wanted, what: "throughput" | "latency"): number | undefined {
  return measuredOf(choice, wanted)?.[what]?.p50;
}

function measuredOf({ worker, at }: Choice, { measured, models }: Wanted): Measured | undefined {
  return measured.of(worker.provider, models[at]!.name ?? "");
}

function compared(
  cutoffs: Cutoffs | undefined,
  found: Readonly<Record<PercentileName, number>> | undefined,
  meets: (found: number, wanted: number) => boolean,
): (boolean | undefined)[] {
  return Object.entries(cutoffs ?? {}).map(
    ([name, wanted]) => found && meets(found[name as PercentileName], wanted),
  );
}
