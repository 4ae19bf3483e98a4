import type { FleetSnapshot, Measured, RouteRequest, WorkerSnapshot } from "../../../server/routing/types.ts";
import { LiveWorkerIndex } from "../../../server/routing/worker_index.ts";

/** Like a `WorkerSnapshot`, with lists for sets. */
export type WorkerFacts = Partial<Omit<WorkerSnapshot, "models" | "capabilities">> & {
  models?: readonly string[];
  capabilities?: readonly ("method" | "binary" | "upgrade")[];
};
export type RequestFacts = Partial<Omit<RouteRequest, "needs" | "excluded">> & {
  needs?: readonly ("method" | "binary" | "upgrade")[];
  excluded?: readonly string[];
};

/** What the relay knows beside who is there. */
export interface KnownFacts {
  /** What was seen of a provider, with its variant, and a model. */
  measured?: readonly (readonly [provider: string, model: string, found: Measured])[];
  /** Who had a session's last request for a model ("" for none). */
  sticky?: readonly (readonly [session: string, model: string, workerId: string])[];
  /** Who keeps what has this id. */
  keepers?: readonly (readonly [id: string, workerId: string])[];
}

/** All four percentiles alike. */
export function percentiles(value: number) {
  return { p50: value, p75: value, p90: value, p99: value };
}

/** A worker with everything as plain as can be: serves `m` on every path, one slot, idle. */
export function worker(facts: WorkerFacts = {}, joinedAt = 1): WorkerSnapshot {
  return {
    id: `worker-${joinedAt}`,
    name: `box-${joinedAt}`,
    provider: "local",
    endpointPrefixes: [],
    maxConcurrent: 1,
    inFlight: 0,
    reportedLoad: 0,
    connected: true,
    draining: false,
    healthy: true,
    labels: {},
    linkForm: "framed",
    joinedAt,
    lastTurn: 0,
    ...facts,
    models: new Set(facts.models ?? ["m"]),
    capabilities: new Set(facts.capabilities ?? []),
  };
}

/** Workers named `worker-1`, `worker-2`, … in this order. */
export function fleetOf(
  present: readonly WorkerFacts[],
  absent: readonly WorkerFacts[] = [],
  { measured = [], sticky = [], keepers = [] }: KnownFacts = {},
): FleetSnapshot {
  const snapshot = {
    present: new LiveWorkerIndex(),
    absent: new LiveWorkerIndex(),
    turn: 0,
    measured: {
      of: (provider: string, model: string) =>
        measured.find((row) => row[0] === provider && row[1] === model)?.[2],
    },
    affinity: {
      sticky: (session: string, model: string) =>
        sticky.find((row) => row[0] === session && row[1] === model)?.[2],
      keeper: (id: string) => keepers.find((row) => row[0] === id)?.[1],
    },
  };
  for (const [at, facts] of present.entries()) snapshot.present.add(worker(facts, at + 1));
  for (const facts of absent) snapshot.absent.add(worker({ ...facts, id: "", connected: false }));
  return snapshot;
}

/** A POST of text for `m`. */
export function request(facts: RequestFacts = {}): RouteRequest {
  return {
    method: "POST",
    path: "/v1/chat/completions",
    model: "m",
    streaming: false,
    ...facts,
    needs: new Set(facts.needs ?? []),
    excluded: new Set(facts.excluded ?? []),
  };
}
