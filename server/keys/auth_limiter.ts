import ipaddr from "ipaddr.js";
import type { Clock } from "../../shared/clock.ts";

/** A person mistypes a few times; a guesser needs millions. */
const FAILURES_PER_MINUTE = 10;

/** About 1 MB when full: a guesser with more networks than that pushes out the oldest. */
const MOST_PEERS = 10_000;

/** An IPv6 customer has at least a /64: single addresses cost nothing there. */
const V6_PREFIX_HEXTETS = 4;

/** Counts wrong credentials by where they come from: ten at once, then one each six seconds. */
export class AuthLimiter {
  /** When all tries are there again, by network: each failure puts that off by one interval. */
  readonly #restoredMs = new Map<string, number>();
  readonly #intervalMs: number;

  constructor(
    private readonly clock: Clock,
    private readonly perMinute = FAILURES_PER_MINUTE,
  ) {
    this.#intervalMs = 60_000 / perMinute;
  }

  /** Milliseconds until this peer may try again, 0 for now. Asked before its credential is looked at. */
  retryAfterMs(peer: string): number {
    const missingMs = (this.#restoredMs.get(networkOf(peer)) ?? 0) - this.clock.nowMs();
    return Math.max(0, missingMs - (this.perMinute - 1) * this.#intervalMs);
  }

  /** Its credential was wrong. Right ones are not counted in its favour: a guesser may own one. */
  failed(peer: string): void {
    const network = networkOf(peer);
    const nowMs = this.clock.nowMs();
    const restoredMs = Math.max(nowMs, this.#restoredMs.get(network) ?? 0) + this.#intervalMs;
    this.#restoredMs.delete(network);
    this.#restoredMs.set(network, Math.min(restoredMs, nowMs + 60_000));
    if (this.#restoredMs.size > MOST_PEERS) this.#restoredMs.delete(this.#restoredMs.keys().next().value!);
  }
}

/** What is counted as one peer: an IPv4 address, an IPv6 /64, everybody on a unix socket. */
function networkOf(peer: string): string {
  if (!ipaddr.isValid(peer)) return peer;
  const address = ipaddr.process(peer);
  return address instanceof ipaddr.IPv6
    ? address.parts.slice(0, V6_PREFIX_HEXTETS).join(":")
    : address.toString();
}
