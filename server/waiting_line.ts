import { type Clock, MAX_DELAY_MS, type Timer } from "../shared/clock.ts";
import { type FailureCode, RelayFailure } from "../shared/failures.ts";
import type { Fleet, Slot } from "./fleet.ts";
import { decide } from "./routing/decide.ts";
import { isEligible } from "./routing/eligible.ts";
import { hasFreeSlot } from "./routing/load.ts";
import { refusal } from "./routing/refusal.ts";
import { routeKey } from "./routing/route_key.ts";
import type { Decision, RouteRequest, WorkerSnapshot } from "./routing/types.ts";
import { wantedOf } from "./routing/wanted.ts";
import { Pace } from "./waiting_line/pace.ts";

export interface LineLimits {
  /** How many may wait; `Infinity` for any number. */
  readonly countMax: number;
  /** What the bodies kept for them may come to. */
  readonly bytesMax: number;
}

export interface Waiting {
  readonly request: RouteRequest;
  /** What is kept of its body meanwhile. */
  readonly bytes: number;
  /** When the request came in, on the clock: its place. The same after a failed try, which may put it first. */
  readonly arrivedAtMs: number;
  /** When it gives up, on the clock; `Infinity` for never. */
  readonly deadlineMs: number;
  /** Aborted when the client leaves. */
  readonly signal?: AbortSignal;
}

/** A request's turn has come. Whoever gets this disposes the slot, also when the client has left by then. */
export interface Placed<Link> {
  readonly slot: Slot<Link>;
  readonly decision: Extract<Decision, { type: "dispatch" }>;
}

interface Entry<Link> {
  readonly waiting: Waiting;
  readonly group: Group<Link>;
  /** Tells apart what arrived in the same instant. */
  readonly number: number;
  timer?: Timer;
  readonly left: () => void;
  readonly resolve: (placed: Placed<Link>) => void;
  readonly reject: (failure: unknown) => void;
}

/** Requests for which every decision is the same, the one that goes first in front. Never empty in the line. */
interface Group<Link> {
  readonly key: string;
  readonly request: RouteRequest;
  readonly entries: Entry<Link>[];
}

/**
 * Requests that wait for a slot, first come first served among those that the slot can serve.
 *
 * Nobody waits while a slot is free that could serve them: a change of the fleet serves whom it can before
 * anybody else has a turn, so a newcomer who finds a free slot overtakes nobody.
 */
export class WaitingLine<Link> {
  readonly #clock: Clock;
  readonly #fleet: Fleet<Link>;
  readonly #limits: LineLimits;
  readonly #groups = new Map<string, Group<Link>>();
  readonly #pace = new Pace();
  readonly #stopListening: (() => void)[];
  #count = 0;
  #bytes = 0;
  #entered = 0;
  #closed: FailureCode | undefined;

  constructor(options: { clock: Clock; fleet: Fleet<Link>; limits: LineLimits }) {
    this.#clock = options.clock;
    this.#fleet = options.fleet;
    this.#limits = options.limits;
    this.#stopListening = [
      options.fleet.onChange((worker) => this.#serve(worker)),
      options.fleet.onLoss(() => this.#reconsider()),
    ];
  }

  get length(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** A slot, if there is one now. @throws RelayFailure as `enter` */
  placeNow(request: RouteRequest): Placed<Link> | undefined {
    if (this.#closed) throw new RelayFailure(this.#closed);
    return this.#place(request);
  }

  /** What would become of a request now. */
  decide(request: RouteRequest): Decision {
    return decide(request, this.#fleet.snapshot());
  }

  /** Whether somebody who is connected will take such a request; else it waits for somebody who is expected back. */
  hasTaker(request: RouteRequest): boolean {
    const decision = this.decide(request);
    return decision.type !== "refuse" && decision.candidates.length > 0;
  }

  /**
   * Wait for a slot; without waiting when there is one.
   *
   * @throws RelayFailure `line_full` at once, `wait_expired` at the deadline, `client_gone`, the code of a
   * decision to refuse, with its funnel, or the one that the line was closed with.
   */
  async enter(waiting: Waiting): Promise<Placed<Link>> {
    if (this.#closed) throw new RelayFailure(this.#closed);
    if (waiting.signal?.aborted) throw new RelayFailure("client_gone");
    const placed = this.#place(waiting.request);
    if (placed) return placed;
    if (waiting.deadlineMs <= this.#clock.nowMs()) throw this.#sorry("wait_expired");
    if (this.#count >= this.#limits.countMax || this.#bytes + waiting.bytes > this.#limits.bytesMax) {
      throw this.#sorry("line_full");
    }
    return await new Promise((resolve, reject) => this.#add(waiting, { resolve, reject }));
  }

  /** Refuse all who wait, and all who come from now on. */
  close(code: FailureCode): void {
    this.#closed = code;
    for (const stop of this.#stopListening) stop();
    for (const group of [...this.#groups.values()]) {
      for (const entry of [...group.entries]) this.#refuse(entry, new RelayFailure(code));
    }
  }

  /** Reserve a slot, if there is one. @throws RelayFailure when the decision is to refuse. */
  #place(request: RouteRequest): Placed<Link> | undefined {
    const snapshot = this.#fleet.snapshot();
    const decision = decide(request, snapshot);
    if (decision.type === "refuse") throw refusal(decision, request, snapshot);
    return this.#reserve(decision);
  }

  #reserve(decision: Decision): Placed<Link> | undefined {
    if (decision.type !== "dispatch") return undefined;
    return { slot: this.#fleet.reserve(decision.candidates[0]!), decision };
  }

  #add(waiting: Waiting, { resolve, reject }: Pick<Entry<Link>, "resolve" | "reject">): void {
    const group = this.#groupOf(waiting.request);
    const left = () => this.#refuse(entry, new RelayFailure("client_gone"));
    const entry: Entry<Link> = { waiting, group, number: ++this.#entered, left, resolve, reject };
    group.entries.splice(group.entries.findLastIndex((other) => isBefore(other, entry)) + 1, 0, entry);
    this.#count++;
    this.#bytes += waiting.bytes;
    waiting.signal?.addEventListener("abort", left);
    const leftMs = waiting.deadlineMs - this.#clock.nowMs();
    if (leftMs <= MAX_DELAY_MS) {
      entry.timer = this.#clock.after(leftMs, () => this.#refuse(entry, this.#sorry("wait_expired")));
    }
  }

  #groupOf(request: RouteRequest): Group<Link> {
    const key = routeKey(request);
    let group = this.#groups.get(key);
    if (!group) {
      group = { key, request, entries: [] };
      this.#groups.set(key, group);
    }
    return group;
  }

  /** A worker can take what it could not take before: fill it with whoever came first. */
  #serve(worker: WorkerSnapshot): void {
    if (this.#count === 0) return;
    const snapshot = this.#fleet.snapshot();
    const groups = [...this.#groups.values()].filter(({ request }) =>
      isEligible(worker, wantedOf(request, snapshot)),
    );
    this.#offer(groups, () => hasFreeSlot(worker));
  }

  /** Who waited for a worker that is lost may be content with one that was free all the time. */
  #reconsider(): void {
    if (this.#count > 0) this.#offer([...this.#groups.values()], () => true);
  }

  /** Give slots to those of the groups that get one, whoever came first, while there are more. */
  #offer(groups: Group<Link>[], more: () => boolean): void {
    while (more()) {
      const entry = firstOf(groups);
      if (!entry) return;
      const placed = this.#reserve(this.decide(entry.waiting.request));
      // Who waits for a certain worker, or for the best provider alone, leaves the slot to those behind.
      if (placed) this.#serveEntry(entry, placed);
      else groups.splice(groups.indexOf(entry.group), 1);
    }
  }

  #serveEntry(entry: Entry<Link>, placed: Placed<Link>): void {
    this.#remove(entry);
    this.#pace.served(this.#clock.nowMs());
    entry.resolve(placed);
  }

  #refuse(entry: Entry<Link>, failure: RelayFailure): void {
    this.#remove(entry);
    entry.reject(failure);
  }

  #remove(entry: Entry<Link>): void {
    const { group, waiting, timer, left } = entry;
    group.entries.splice(group.entries.indexOf(entry), 1);
    if (group.entries.length === 0) this.#groups.delete(group.key);
    this.#count--;
    this.#bytes -= waiting.bytes;
    waiting.signal?.removeEventListener("abort", left);
    timer?.cancel();
  }

  #sorry(code: "line_full" | "wait_expired"): RelayFailure {
    const retryAfterS = this.#pace.retryAfterS(this.#count + 1);
    return new RelayFailure(code, retryAfterS === undefined ? {} : { retryAfterS });
  }
}

function firstOf<Link>(groups: readonly Group<Link>[]): Entry<Link> | undefined {
  let first: Entry<Link> | undefined;
  for (const { entries } of groups) {
    const head = entries[0];
    if (head && (!first || isBefore(head, first))) first = head;
  }
  return first;
}

function isBefore<Link>(a: Entry<Link>, b: Entry<Link>): boolean {
  return (a.waiting.arrivedAtMs - b.waiting.arrivedAtMs || a.number - b.number) < 0;
}
