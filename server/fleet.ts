import type { Clock } from "../shared/clock.ts";
import { AbsentWorkers } from "./fleet/absent_workers.ts";
import { Affinity } from "./fleet/affinity.ts";
import { pairKey } from "./fleet/expiring_map.ts";
import { Measurements, type Sample } from "./fleet/measurements.ts";
import { hasFreeSlot } from "./routing/load.ts";
import type { Candidate, FleetSnapshot, WorkerSnapshot } from "./routing/types.ts";
import { LiveWorkerIndex } from "./routing/worker_index.ts";

/** What a worker said of itself, sanitised, and `link`: whatever the relay needs to reach it. */
export interface Registration<Link>
  extends Pick<
    WorkerSnapshot,
    "name" | "provider" | "endpointPrefixes" | "maxConcurrent" | "capabilities" | "linkForm"
  > {
  readonly models: Iterable<string>;
  /** Default none. */
  readonly labels?: WorkerSnapshot["labels"];
  /** What it works on already. Default 0. */
  readonly reportedLoad?: number;
  /** What stays the same when the same process connects again; no other worker of its provider has it. */
  readonly identity?: string | undefined;
  readonly link: Link;
}

export interface FleetWorker<Link> extends WorkerSnapshot {
  readonly link: Link;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** One unit of a worker's capacity, held from here to the last byte of the response. */
export interface Slot<Link> extends Disposable {
  readonly worker: FleetWorker<Link>;
}

/** Who is connected, what they serve, how busy they are. The only place where any of that changes. */
export class Fleet<Link> {
  readonly #clock: Clock;
  readonly #present = new LiveWorkerIndex();
  readonly #absent: AbsentWorkers;
  readonly #measurements = new Measurements();
  readonly #affinity = new Affinity();
  readonly #byId = new Map<string, Mutable<FleetWorker<Link>>>();
  readonly #listeners = new Set<(worker: WorkerSnapshot) => void>();
  readonly #lossListeners = new Set<() => void>();
  #joined = 0;
  #turn = 0;

  /** `absentGraceMs`: how long a model counts as served after the last worker with it went; 0 is not at all. */
  constructor({ clock, absentGraceMs = 60_000 }: { clock: Clock; absentGraceMs?: number }) {
    this.#clock = clock;
    this.#absent = new AbsentWorkers(absentGraceMs);
  }

  /**
   * Called with the worker after every change that lets it take a request that it could not take before. What
   * the listener reserves in the call is as if it had been first.
   *
   * @returns a function that ends the calls.
   */
  onChange(listener: (worker: WorkerSnapshot) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Called after every change by which a worker takes no more of what it would have taken before. */
  onLoss(listener: () => void): () => void {
    this.#lossListeners.add(listener);
    return () => this.#lossListeners.delete(listener);
  }

  /** The fleet as it is now: a live view, not a copy. Use it before the next `await`. */
  snapshot(): FleetSnapshot {
    const nowMs = this.#clock.nowMs();
    return {
      present: this.#present,
      absent: this.#absent.at(nowMs),
      turn: this.#turn,
      measured: this.#measurements.at(nowMs),
      affinity: this.#affinity.at(nowMs),
    };
  }

  /** Ids count up as ModelRelay's do: `worker-1`, `worker-2`, … Listeners have been called when it returns. */
  join({ identity, ...registration }: Registration<Link>): FleetWorker<Link> {
    const joinedAt = ++this.#joined;
    const worker = {
      ...registration,
      id: `worker-${joinedAt}`,
      models: new Set(registration.models),
      labels: registration.labels ?? {},
      reportedLoad: registration.reportedLoad ?? 0,
      inFlight: 0,
      connected: true,
      draining: false,
      healthy: true,
      joinedAt,
      lastTurn: 0,
    };
    this.#byId.set(worker.id, worker);
    this.#present.add(worker);
    this.#affinity.join(worker.id, identity === undefined ? undefined : pairKey(worker.provider, identity));
    this.#tell(worker);
    return worker;
  }

  /** Its slots are void from now on; whoever holds one may still dispose it. Idempotent. */
  leave({ id }: WorkerSnapshot): void {
    const worker = this.#byId.get(id);
    if (!worker) return;
    this.#byId.delete(id);
    this.#present.remove(worker);
    this.#affinity.leave(id);
    worker.connected = false;
    this.#remember(worker, worker.models);
    this.#tellLoss();
  }

  /** Replace the models that a worker serves. Ignored, as all below, for a worker that has left. */
  updateModels({ id }: WorkerSnapshot, models: Iterable<string>): void {
    const served = new Set(models);
    this.#change(id, (worker) => {
      const dropped = worker.models.difference(served);
      if (dropped.size > 0) this.#remember(worker, dropped);
      worker.models = served;
    });
  }

  setDraining({ id }: WorkerSnapshot, draining = true): void {
    this.#change(id, (worker) => {
      worker.draining = draining;
    });
  }

  setHealthy({ id }: WorkerSnapshot, healthy: boolean): void {
    this.#change(id, (worker) => {
      worker.healthy = healthy;
    });
  }

  /** What the worker says it works on, ours included. Between two reports our own starts and ends are added. */
  reportLoad({ id }: WorkerSnapshot, load: number): void {
    const worker = this.#byId.get(id);
    if (!worker) return;
    this.#free(worker, () => {
      worker.reportedLoad = load;
    });
  }

  /**
   * Take a slot of a candidate. It is free again when it is disposed, at once, however the exchange ended.
   *
   * @throws Error when the worker has left or has no free slot: the candidate is from an earlier turn.
   */
  reserve({ worker: { id, name } }: Pick<Candidate, "worker">): Slot<Link> {
    const worker = this.#byId.get(id);
    if (!worker) throw new Error(`Cannot reserve worker "${name}" as it must be connected: ${id} has left`);
    if (!hasFreeSlot(worker)) {
      const found = `${worker.inFlight} taken, load ${worker.reportedLoad}, ${worker.maxConcurrent} in all`;
      throw new Error(`Cannot reserve worker "${name}" as it must have a free slot: ${found}`);
    }
    worker.inFlight++;
    worker.reportedLoad++;
    worker.lastTurn = ++this.#turn;
    let held = true;
    return {
      worker,
      [Symbol.dispose]: () => {
        if (!held) return;
        held = false;
        this.#free(worker, () => {
          worker.inFlight--;
          worker.reportedLoad = Math.max(0, worker.reportedLoad - 1);
        });
      },
    };
  }

  /** How fast the worker answered with this model (undefined: the request named none). */
  measure({ provider }: WorkerSnapshot, model: string | undefined, sample: Sample): void {
    this.#measurements.record({ provider, model: model ?? "", ...sample }, this.#clock.nowMs());
  }

  /** Whether the worker's next answer with this model is to be measured. */
  wantsMeasure({ provider }: WorkerSnapshot, model: string | undefined): boolean {
    return this.#measurements.wants(provider, model ?? "", this.#clock.nowMs());
  }

  /** The worker had a request of this session: the next one for the same model is best given to it, too. */
  stickTo(
    { id }: WorkerSnapshot,
    { session, model = "" }: { session: string; model?: string | undefined },
  ): void {
    this.#affinity.rememberSession({ session, model, workerId: id }, this.#clock.nowMs());
  }

  /** The worker's backend keeps something under this id. */
  keeps({ id }: WorkerSnapshot, keptId: string): void {
    this.#affinity.rememberKept(keptId, id, this.#clock.nowMs());
  }

  #remember({ link: _, ...worker }: FleetWorker<Link>, models: ReadonlySet<string>): void {
    this.#absent.add({ ...worker, models }, this.#clock.nowMs());
  }

  #change(id: string, apply: (worker: Mutable<FleetWorker<Link>>) => void): void {
    const worker = this.#byId.get(id);
    if (!worker) return;
    this.#present.change(worker, () => apply(worker));
    this.#tell(worker);
    this.#tellLoss();
  }

  /** Change a worker's load. Who had a free slot before has nobody waiting for it: no reason to tell. */
  #free(worker: FleetWorker<Link>, apply: () => void): void {
    const wasFull = !hasFreeSlot(worker);
    apply();
    if (wasFull) this.#tell(worker);
  }

  #tellLoss(): void {
    for (const listener of this.#lossListeners) listener();
  }

  #tell(worker: WorkerSnapshot): void {
    if (!worker.connected || worker.draining || !worker.healthy || !hasFreeSlot(worker)) return;
    for (const listener of this.#listeners) listener(worker);
  }
}
