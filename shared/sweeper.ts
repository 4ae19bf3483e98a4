import type { Clock, Timer } from "./clock.ts";
import { OpenTable } from "./open_table.ts";

/** Something with a time limit that keeps moving. */
export interface Watched {
  /** On the clock; `Infinity` for none at the moment. Read at each sweep, so moving it costs an assignment. */
  deadlineMs: number;
  /** The deadline passed. The entry was taken out before. */
  expired(): void;
  /** A sweep found it, before its deadline: for what is not worth its cost to who is done by then. */
  lasts?(): void;
}

/** Limits are seconds and minutes; a tenth of a second late does not matter to them. */
const SWEEP_INTERVAL_MS = 100;

/**
 * Deadlines of everything under way, looked at together. A timer for each would be set anew with every piece of
 * every body; this costs an assignment a piece and a walk over what is open ten times a second.
 */
export class Sweeper {
  readonly #clock: Clock;
  readonly #entries = new OpenTable<Watched>();
  #last = 0;
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Returns what releases it. */
  watch(entry: Watched): number {
    this.#entries.set(++this.#last, entry);
    this.#timer ??= this.#clock.after(SWEEP_INTERVAL_MS, () => this.#sweep());
    return this.#last;
  }

  /** Idempotent. */
  release(watch: number): void {
    this.#entries.delete(watch);
  }

  #sweep(): void {
    this.#timer = undefined;
    const now = this.#clock.nowMs();
    this.#entries.forEach((entry, watch) => {
      if (entry.deadlineMs > now) {
        entry.lasts?.();
      } else {
        this.#entries.delete(watch);
        entry.expired();
      }
    });
    if (this.#entries.size > 0) this.#timer ??= this.#clock.after(SWEEP_INTERVAL_MS, () => this.#sweep());
  }
}
