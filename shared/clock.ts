/** Time as the rest of the project sees it: a reading that only grows, and a way to be called later. */
export interface Clock {
  /** Milliseconds since some start, with fractions; never goes back, says nothing about the date. */
  nowMs(): number;
  /**
   * Call `fire` once, after `delayMs` (from 0 to `MAX_DELAY_MS`). Never called before `after` returns.
   *
   * @throws RangeError when the delay is out of that range: runtimes turn a longer one into 1 ms.
   */
  after(delayMs: number, fire: () => void): Timer;
}

/** A call that is still to come. */
export interface Timer {
  /** Idempotent; nothing happens when the call was made already. */
  cancel(): void;
}

/** 24.8 days: timers count milliseconds in a signed 32-bit number. */
export const MAX_DELAY_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  after(delayMs, fire) {
    checkDelay(delayMs);
    const handle = setTimeout(fire, delayMs);
    return { cancel: () => clearTimeout(handle) };
  },
};

/** @throws RangeError, see `Clock.after`. For whoever implements a clock. */
export function checkDelay(delayMs: number): void {
  if (delayMs >= 0 && delayMs <= MAX_DELAY_MS) return;
  throw new RangeError(`Cannot set a timer: wanted 0 to ${MAX_DELAY_MS} ms, found ${delayMs}`);
}
