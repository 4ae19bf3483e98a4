import type { Fleet, FleetWorker } from "../fleet.ts";
import type { WorkerLink } from "../hub/worker_connection.ts";
import type { WorkerSnapshot } from "../routing/types.ts";

/** What `/admin/workers` says of each: ModelRelay's members, and ours behind them. */
export function workerReport(worker: WorkerSnapshot) {
  const { peer } = (worker as FleetWorker<WorkerLink>).link.connection;
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
