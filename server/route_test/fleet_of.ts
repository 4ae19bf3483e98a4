import { sanitisePrefixes } from "../../shared/endpoint_prefixes.ts";
import { capabilities } from "../hub/register.ts";
import type {
  Capability,
  FleetSnapshot,
  Measured,
  PercentileName,
  WorkerSnapshot,
} from "../routing/types.ts";
import { LiveWorkerIndex } from "../routing/worker_index.ts";
import type { FileAbsentWorker, FileWorker, ScenarioFile } from "./scenario_schema.ts";

/** Workers left, and nobody knows under which id they would come back. */
const GONE = "";

/** The fleet of a file as routing sees one. */
export function fleetOf(file: ScenarioFile): FleetSnapshot {
  const [present, absent] = [new LiveWorkerIndex(), new LiveWorkerIndex()];
  for (const [at, worker] of file.worker.entries()) present.add(presentWorker(worker, at + 1));
  for (const worker of file.absent) absent.add(absentWorker(worker));
  const idOf = (name: string) => [...present.workers].find((worker) => worker.name === name)?.id ?? GONE;
  const measured = new Map(
    file.measured.map((entry) => [keyOf(entry.provider, entry.model), measuredOf(entry)]),
  );
  const sticky = new Map(
    file.session.map((entry) => [keyOf(entry.session, entry.model), idOf(entry.worker)]),
  );
  const keepers = new Map(file.kept.map(({ id, worker }) => [id, idOf(worker)]));
  return {
    present,
    absent,
    turn: Math.max(0, ...file.worker.map((worker) => worker.last_turn)),
    measured: { of: (provider, model) => measured.get(keyOf(provider, model)) },
    affinity: {
      sticky: (session, model) => sticky.get(keyOf(session, model)),
      keeper: (id) => keepers.get(id),
    },
  };
}

function keyOf(...names: [string, string]): string {
  return JSON.stringify(names);
}

/** The worker of that place in the file, from 1, which is its place among all that ever joined. */
export function idOfWorker({ id }: Pick<FileWorker, "id">, place: number): string {
  return id ?? `worker-${place}`;
}

function presentWorker(worker: FileWorker, place: number): WorkerSnapshot {
  return {
    ...declared(worker),
    id: idOfWorker(worker, place),
    inFlight: worker.in_flight,
    reportedLoad: worker.reported_load ?? worker.in_flight,
    connected: true,
    draining: worker.draining,
    healthy: worker.healthy,
    joinedAt: place,
    lastTurn: worker.last_turn,
  };
}

function absentWorker(worker: FileAbsentWorker): WorkerSnapshot {
  const state = { inFlight: 0, reportedLoad: 0, joinedAt: 0, lastTurn: 0 };
  return { ...declared(worker), ...state, id: GONE, connected: false, draining: false, healthy: true };
}

/** All that links of this form carry. */
export function capabilitiesOf(linkForm: WorkerSnapshot["linkForm"]): ReadonlySet<Capability> {
  return capabilities({ knowsMethod: true }, linkForm === "framed");
}

function declared(worker: FileAbsentWorker) {
  return {
    name: worker.name,
    provider: worker.provider,
    models: new Set(worker.models),
    endpointPrefixes: sanitisePrefixes(worker.endpoint_prefixes).prefixes,
    maxConcurrent: worker.max_concurrent,
    capabilities: worker.capabilities ? new Set(worker.capabilities) : capabilitiesOf(worker.link_form),
    labels: worker.labels,
    linkForm: worker.link_form,
  };
}

type Percentiles = ScenarioFile["measured"][number]["throughput"];

function measuredOf({ throughput, latency }: ScenarioFile["measured"][number]): Measured {
  return {
    ...(throughput !== undefined && { throughput: percentiles(throughput) }),
    ...(latency !== undefined && { latency: percentiles(latency) }),
  };
}

function percentiles(written: NonNullable<Percentiles>): Record<PercentileName, number> {
  const given = typeof written === "number" ? { p50: written } : written;
  const { p50, p75 = p50, p90 = p75, p99 = p90 } = given;
  return { p50, p75, p90, p99 };
}
