/** When to try again after the n-th failure in a row. */
export interface Backoff {
  /** How long to wait now, in milliseconds; counts the failure. */
  nextMs(): number;
  /** All is well again: the next failure is the first. */
  reset(): void;
}

export interface BackoffOptions {
  /** The most that the first wait may be. */
  baseMs: number;
  /** The most that any wait may be. */
  capMs: number;
  /** From 0 up to 1, as `Math.random`. */
  dice?: () => number;
}

/**
 * Full jitter: `random(0, min(cap, base · 2^n))`. A thousand workers whose relay restarts come back spread over
 * the whole interval instead of in waves; in the middle a wait is half of what its bound allows.
 *
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 *
 * @throws RangeError unless 0 < base ≤ cap, both finite
 */
export function fullJitter({ baseMs, capMs, dice = Math.random }: BackoffOptions): Backoff {
  if (!(baseMs > 0 && baseMs <= capMs && Number.isFinite(capMs))) {
    throw new RangeError(`Cannot back off: wanted 0 < base <= cap, found ${baseMs} ms and ${capMs} ms`);
  }
  let failures = 0;
  return {
    nextMs: () => dice() * Math.min(capMs, baseMs * 2 ** failures++),
    reset: () => {
      failures = 0;
    },
  };
}
