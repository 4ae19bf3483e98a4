import ipaddr from "ipaddr.js";
import type { Clock } from "../../shared/clock.ts";

/** A person mistypes a few times; a guesser needs millions. */
const FAILURES_PER_MINUTE = 10;

/** About 1 MB when full: a guesser with more networks than that pushes out the oldest. */
const MOST_PEERS = 10_000;

/** An IPv6 customer has at least a /64: single addresses cost nothing there. */
const V6_PREFIX_HEXTETS = 4;

interface Bucket {
  /** Failures still allowed. */
  left: number;
  atMs: number;
}

/** Counts wrong credentials by where they come from: ten at once, then one each six seconds. */
export class AuthLimiter {
  readonly #buckets = new Map<string, Bucket>();

  constructor(
    private readonly clock: Clock,
    private readonly perMinute = FAILURES_PER_MINUTE,
  ) {}

  /** Milliseconds until this peer may try again, 0 for now. Asked before its credential is looked at. */
  retryAfterMs(peer: string): number {
    const bucket = this.#buckets.get(networkOf(peer));
    const left = bucket ? this.#leftIn(bucket) : 1;
    return left >= 1 ? 0 : Math.ceil(((1 - left) * 60_000) / this.perMinute);
  }

  /** Its credential was wrong. Right ones are not counted in its favour: a guesser may own one. */
  failed(peer: string): void {
    const network = networkOf(peer);
    const bucket = this.#buckets.get(network);
    const left = bucket ? this.#leftIn(bucket) : this.perMinute;
    this.#buckets.delete(network);
    this.#buckets.set(network, { left: Math.max(0, left - 1), atMs: this.clock.nowMs() });
    if (this.#buckets.size > MOST_PEERS) this.#buckets.delete(this.#buckets.keys().next().value!);
  }

  #leftIn({ left, atMs }: Bucket): number {
    return Math.min(this.perMinute, left + ((this.clock.nowMs() - atMs) * this.perMinute) / 60_000);
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
