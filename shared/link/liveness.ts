import type { Clock, Timer } from "../clock.ts";

/** Both ends say something this often, whatever else flows: proxies on the way drop what is silent for 60 s. */
export const PING_INTERVAL_MS = 15_000;

/** A peer silent for this long is gone: two pings missed and the third due. */
export const SILENCE_LIMIT_MS = 3 * PING_INTERVAL_MS;

export interface LivenessOptions {
  clock: Clock;
  /** Send whatever makes the peer answer. */
  ping(): void;
  /** The peer said nothing for `SILENCE_LIMIT_MS`. Called once. */
  silent(): void;
  /** Default 15 s. */
  intervalMs?: number;
}

/**
 * Watches that the peer of a link still speaks. On a fixed cadence, not after a silence of ours: a busy stream
 * must not keep the ping away that the other end waits for (between ModelRelay's own ends a stream that flows for
 * 90 s is lost to that).
 */
export class Liveness {
  readonly #options: LivenessOptions;
  #timer: Timer | undefined;
  #lastHeardMs: number;
  #stopped = false;

  constructor(options: LivenessOptions) {
    this.#options = options;
    this.#lastHeardMs = options.clock.nowMs();
    this.#schedule();
  }

  /** Anything came from the peer. */
  heard(): void {
    this.#lastHeardMs = this.#options.clock.nowMs();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #schedule(): void {
    const { clock, intervalMs = PING_INTERVAL_MS } = this.#options;
    this.#timer = clock.after(intervalMs, () => this.#tick());
  }

  #tick(): void {
    const { clock, ping, silent } = this.#options;
    if (clock.nowMs() - this.#lastHeardMs >= SILENCE_LIMIT_MS) return silent();
    ping();
    // A ping that cannot be sent ends the link, and us with it.
    if (!this.#stopped) this.#schedule();
  }
}
