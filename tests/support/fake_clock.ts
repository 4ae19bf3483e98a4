import { type Clock, checkDelay, type Timer } from "../../shared/clock.ts";

/** A clock that stands still until it is told how much time has passed. */
export class FakeClock implements Clock {
  #nowMs: number;
  #waiting: { atMs: number; fire: () => void }[] = [];

  /** Starts at an odd number, so that nobody takes its reading for a date or a duration. */
  constructor(startMs = 1_000_003) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, fire: () => void): Timer {
    checkDelay(delayMs);
    const entry = { atMs: this.#nowMs + delayMs, fire };
    this.#waiting.push(entry);
    return {
      cancel: () => {
        this.#waiting = this.#waiting.filter((other) => other !== entry);
      },
    };
  }

  /** How many timers are set: 0 at the end of a test shows that nothing was left running. */
  get pending(): number {
    return this.#waiting.length;
  }

  /** Let time pass: timers that fall due are fired in their order, also those set by others on the way. */
  advance(byMs: number): void {
    const untilMs = this.#nowMs + byMs;
    for (;;) {
      const due = this.#nextDue(untilMs);
      if (!due) break;
      this.#waiting = this.#waiting.filter((other) => other !== due);
      this.#nowMs = due.atMs;
      due.fire();
    }
    this.#nowMs = untilMs;
  }

  /** The earliest by `untilMs`; among equals the one that was set first. */
  #nextDue(untilMs: number) {
    let first: { atMs: number; fire: () => void } | undefined;
    for (const entry of this.#waiting) {
      if (entry.atMs <= untilMs && (first === undefined || entry.atMs < first.atMs)) first = entry;
    }
    return first;
  }
}
