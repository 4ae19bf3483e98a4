import type { Backoff } from "../shared/backoff.ts";
import type { Clock } from "../shared/clock.ts";
import { DialError } from "../shared/runtime/ports.ts";
import type { Session, SessionEnd } from "./session.ts";

/** A session that lasted this long was a good one: the next failure starts with short delays again. */
const HEALTHY_MS = 60_000;

export interface TetherOptions {
  open(): Promise<Session>;
  clock: Clock;
  /** Delays between attempts. */
  backoff: Backoff;
  /** Told once for each attempt that failed and each session that ended, with the delay to the next. */
  apart(why: DialError | SessionEnd, delayMs: number): void;
}

/** Keeps a worker connected to one relay: dials, and dials again when the link is lost, until it is released. */
export class Tether {
  readonly #options: TetherOptions;
  #session: Session | undefined;
  #released = false;
  #wake: (() => void) | undefined;

  constructor(options: TetherOptions) {
    this.#options = options;
  }

  /** The live session, if there is one. */
  get session(): Session | undefined {
    return this.#session;
  }

  /** Runs until `release`. @throws what `open` throws other than `DialError`: that is a mistake of ours. */
  async hold(): Promise<void> {
    while (!this.#released) {
      const why = await this.#oneSession();
      if (this.#released) return;
      const delayMs = this.#options.backoff.nextMs();
      this.#options.apart(why, delayMs);
      await this.#pause(delayMs);
    }
  }

  /** Do not connect again. A session that is up stays: close it. */
  release(): void {
    this.#released = true;
    this.#wake?.();
  }

  async #oneSession(): Promise<DialError | SessionEnd> {
    try {
      this.#session = await this.#options.open();
      if (this.#released) this.#session.close(1000, "worker stops");
      const end = await this.#session.ended;
      if (end.healthyMs >= HEALTHY_MS) this.#options.backoff.reset();
      return end;
    } catch (error) {
      if (error instanceof DialError) return error;
      throw error;
    } finally {
      this.#session = undefined;
    }
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#options.clock.after(delayMs, resolve);
      this.#wake = () => {
        timer.cancel();
        resolve();
      };
    });
  }
}
