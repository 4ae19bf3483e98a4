import type { Fleet, FleetWorker } from "../fleet.ts";
import type { WorkerLink } from "../hub/worker_connection.ts";
import type { FleetSnapshot, Measured, WorkerSnapshot } from "../routing/types.ts";

/** What `/admin/workers` says of each: ModelRelay's members, and ours behind them. */
export function workerReport(worker: WorkerSnapshot) {
  const { peer, connectedAt } = (worker as FleetWorker<WorkerLink>).link.connection;
  return {
    worker_id: worker.id,
    provider: worker.provider,
    worker_name: worker.name,
    models: [...worker.models],
    max_concurrent: worker.maxConcurrent,
    reported_load: worker.reportedLoad,
    in_flight_count: worker.inFlight,
    is_draining: worker.draining,
    endpoint_prefixes: [...worker.endpointPrefixes],
    labels: worker.labels,
    link_form: worker.linkForm,
    peer,
    connected_at: connectedAt.toISOString(),
  };
}

/** What `/health` says of each to who has the admin token. */
export function workerHealth(worker: WorkerSnapshot) {
  return {
    id: worker.id,
    provider: worker.provider,
    models: [...worker.models],
    in_flight: worker.inFlight,
    max_concurrent: worker.maxConcurrent,
    is_draining: worker.draining,
  };
}

export function workersOf(fleet: Fleet<WorkerLink>): WorkerSnapshot[] {
  return [...fleet.snapshot().present.workers];
}

/** How fast a provider answered with a model lately: percentiles of tokens per second, of seconds to the first byte. */
export type MeasuredEntry = Measured & { provider: string; model: string };

/** Of the models that connected workers name. Nothing while nothing was measured. */
export function measuredReport({ present, measured }: FleetSnapshot): { measured?: MeasuredEntry[] } {
  const modelsOf = new Map<string, Set<string>>();
  for (const { provider, models } of present.workers) {
    modelsOf.set(provider, modelsOf.get(provider)?.union(models) ?? new Set(models));
  }
  const entries = [...modelsOf].flatMap(([provider, models]) =>
    [...models].flatMap((model) => {
      const found = measured.of(provider, model);
      return found ? [{ provider, model, ...found }] : [];
    }),
  );
  return entries.length > 0 ? { measured: entries } : {};
}
