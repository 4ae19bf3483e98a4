import type { RustServerState } from "./rust_server_state.ts";

/** What ModelRelay's server shows of itself, member by member in its order. */

export function readable(path: string, state: RustServerState, uptimeMs: number): object {
  if (path === "/v1/models") {
    const entry = (id: string) => ({ id, object: "model", owned_by: "worker-proxy" });
    return { object: "list", data: state.catalogue().map(entry) };
  }
  const workers = state.workers.map(({ id, provider, models, inFlight, maxConcurrent, draining }) => ({
    id,
    provider,
    models,
    in_flight: inFlight.size,
    max_concurrent: maxConcurrent,
    is_draining: draining,
  }));
  return {
    status: "ok",
    version: "0.2.7",
    workers_connected: workers.length,
    queue_depth: state.queueDepth,
    uptime_secs: uptimeMs / 1000,
    ...(workers.length > 0 ? { workers } : {}),
    models_provider: state.options.provider,
  };
}

export function adminReadable(path: string, state: RustServerState): object {
  if (path === "/admin/stats") {
    const depths = [...state.queues].map(([provider, queue]) => [provider, queue.length]);
    return { queue_depth: Object.fromEntries(depths), active_workers: state.workers.length };
  }
  const workers = state.workers.map((worker) => ({
    worker_id: worker.id,
    provider: worker.provider,
    worker_name: worker.name,
    models: worker.models,
    max_concurrent: worker.maxConcurrent,
    reported_load: worker.reportedLoad,
    in_flight_count: worker.inFlight.size,
    is_draining: worker.draining,
  }));
  return { workers };
}
