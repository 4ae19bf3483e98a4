import type {
  FleetSnapshot,
  Measured,
  PercentileName,
  RouteRequest,
  WorkerSnapshot,
} from "../routing/types.ts";
import { wantedOf } from "../routing/wanted.ts";
import { capabilitiesOf } from "./fleet_of.ts";
import type { WrittenFleet } from "./scenario_schema.ts";

type Written<Table extends keyof WrittenFleet> = NonNullable<WrittenFleet[Table]>[number];

/**
 * The fleet of a file that gives this request the same decision. Of sessions and kept things it has only those that
 * the request names: others are nobody's business. `request`: undefined for one that is refused at the door.
 */
export function recordFleet(snapshot: FleetSnapshot, request: RouteRequest | undefined): WrittenFleet {
  const { present, absent, affinity } = snapshot;
  const names = uniqueNames([...present.workers, ...absent.workers]);
  const named = (id: string | undefined) => {
    const worker = [...present.workers].find((candidate) => candidate.id === id);
    return worker && names.get(worker);
  };
  const models = request ? wantedOf(request, snapshot).models.map(({ name = "" }) => name) : [];
  const { session, keptIds = [] } = request ?? {};
  return {
    worker: [...present.workers].map((worker) => presentWorker(worker, names.get(worker)!)),
    absent: [...absent.workers].map((worker) => declared(worker, names.get(worker)!)),
    measured: measurements(snapshot, models),
    session: models.flatMap((model) => {
      const worker = session === undefined ? undefined : named(affinity.sticky(session, model));
      return worker === undefined ? [] : [{ session: session!, model, worker }];
    }),
    kept: keptIds.flatMap((id) => {
      const worker = named(affinity.keeper(id));
      return worker === undefined ? [] : [{ id, worker }];
    }),
  };
}

/** Workers may share a name; in a file they may not. */
function uniqueNames(workers: readonly WorkerSnapshot[]): Map<WorkerSnapshot, string> {
  const names = new Map<WorkerSnapshot, string>();
  const taken = new Set<string>();
  for (const worker of workers) {
    let name = worker.name || "worker";
    for (let copy = 2; taken.has(name); copy++) name = `${worker.name || "worker"} (${copy})`;
    taken.add(name);
    names.set(worker, name);
  }
  return names;
}

/** What is as it is for a worker of which nothing is said is left out. */
function presentWorker(worker: WorkerSnapshot, name: string): Written<"worker"> {
  const { id, inFlight, reportedLoad, draining, healthy, lastTurn } = worker;
  return {
    ...declared(worker, name),
    id,
    ...(inFlight > 0 && { in_flight: inFlight }),
    ...(reportedLoad !== inFlight && { reported_load: reportedLoad }),
    ...(draining && { draining }),
    ...(!healthy && { healthy }),
    ...(lastTurn > 0 && { last_turn: lastTurn }),
  };
}

function declared(worker: WorkerSnapshot, name: string): Written<"absent"> {
  const { provider, models, endpointPrefixes, maxConcurrent, linkForm, capabilities, labels } = worker;
  return {
    name,
    provider,
    models: [...models],
    ...(endpointPrefixes.length > 0 && { endpoint_prefixes: [...endpointPrefixes] }),
    max_concurrent: maxConcurrent,
    ...(linkForm !== "framed" && { link_form: linkForm }),
    ...(capabilities.symmetricDifference(capabilitiesOf(linkForm)).size > 0 && {
      capabilities: [...capabilities],
    }),
    ...(Object.keys(labels).length > 0 && { labels }),
  };
}

function measurements(
  { present, measured }: FleetSnapshot,
  models: readonly string[],
): Written<"measured">[] {
  const providers = new Set([...present.workers].map(({ provider }) => provider));
  return [...providers].flatMap((provider) =>
    models.flatMap((model) => {
      const found = measured.of(provider, model);
      return found ? [{ provider, model, ...shortened(found) }] : [];
    }),
  );
}

/** Percentiles that are all the same are one number. */
function shortened({ throughput, latency }: Measured): Pick<Written<"measured">, "throughput" | "latency"> {
  const short = (all: Readonly<Record<PercentileName, number>>) =>
    new Set(Object.values(all)).size === 1 ? all.p50 : all;
  return {
    ...(throughput && { throughput: short(throughput) }),
    ...(latency && { latency: short(latency) }),
  };
}
