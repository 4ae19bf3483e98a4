import { randomBytes } from "node:crypto";
import type { Clock } from "../../shared/clock.ts";
import { digest } from "../keys/digest.ts";

/** A working day and some: who leaves a browser open overnight signs in again. */
export const SESSION_LIFETIME_MS = 12 * 3_600_000;

/** Browsers of a few operators. One more ends the oldest: nothing grows, whoever signs in how often. */
export const SESSIONS_MAX = 64;

/** More than can be guessed in any time. */
const TOKEN_BYTES = 32;

/** Who has signed in at the dashboard, by what their cookie holds. In memory: a restart ends all of them. */
export class Sessions {
  readonly #clock: Clock;
  /** When it ends, by the digest of its token; the oldest first. */
  readonly #untilMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Gives the token of a new one. */
  begin(): string {
    const nowMs = this.#clock.nowMs();
    for (const [key, untilMs] of this.#untilMs) if (untilMs <= nowMs) this.#untilMs.delete(key);
    if (this.#untilMs.size >= SESSIONS_MAX) this.#untilMs.delete(this.#untilMs.keys().next().value!);
    const token = randomBytes(TOKEN_BYTES).toString("base64url");
    this.#untilMs.set(keyOf(token), nowMs + SESSION_LIFETIME_MS);
    return token;
  }

  isOpen(token: string): boolean {
    return (this.#untilMs.get(keyOf(token)) ?? 0) > this.#clock.nowMs();
  }

  end(token: string): void {
    this.#untilMs.delete(keyOf(token));
  }
}

/** Found by digest, so that no comparison tells how near a guess was. */
function keyOf(token: string): string {
  return digest(token).toString("hex");
}
