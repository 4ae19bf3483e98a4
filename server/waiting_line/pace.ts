/** What to say before anything was served, or after a long silence: a minute is as long as most will wait. */
const RETRY_AFTER_MAX_S = 60;
/** Each interval counts for a fifth: the last five or so make the estimate. */
const WEIGHT = 0.2;

/** How quickly the line moves, to tell those whom it has no room for when to come back. */
export class Pace {
  #lastMs: number | undefined;
  #intervalMs: number | undefined;

  /** Somebody in the line was served. */
  served(nowMs: number): void {
    if (this.#lastMs !== undefined) {
      const tookMs = nowMs - this.#lastMs;
      this.#intervalMs = (this.#intervalMs ?? tookMs) * (1 - WEIGHT) + tookMs * WEIGHT;
    }
    this.#lastMs = nowMs;
  }

  /** Seconds until `waiting` have been served, from 1 to 60; undefined while nothing is known. */
  retryAfterS(waiting: number): number | undefined {
    if (this.#intervalMs === undefined) return undefined;
    return Math.min(RETRY_AFTER_MAX_S, Math.max(1, Math.ceil((waiting * this.#intervalMs) / 1000)));
  }
}
