import type { AffinityView } from "../routing/types.ts";
import { ExpiringMap, pairKey } from "./expiring_map.ts";

/** What a backend has cached of a conversation is gone by then, or somebody else's turn has pushed it out. */
const SESSION_IDLE_MS = 10 * 60_000;
const SESSIONS_MAX = 16_384;

/** For how long things are followed up is not ours to know: this is as long as the table is to grow. */
const KEPT_MS = 60 * 60_000;
const KEPT_MAX = 65_536;

/**
 * Which workers know something that others do not: the conversations that they had, and the things (`/v1/responses`,
 * `/v1/files`) that they keep. A conversation ends when the worker's link does; what is kept is with the process
 * that keeps it, and found again when that process is back under another id.
 */
export class Affinity implements AffinityView {
  readonly #sessions = new ExpiringMap<string>({ lifetimeMs: SESSION_IDLE_MS, countMax: SESSIONS_MAX });
  /** The identity of whom keeps it. */
  readonly #kept = new ExpiringMap<string>({ lifetimeMs: KEPT_MS, countMax: KEPT_MAX });
  /** Of the workers that are connected. */
  readonly #identities = new Map<string, string>();
  readonly #workerIds = new Map<string, string>();
  #nowMs = Number.NEGATIVE_INFINITY;

  /** `identity`: what stays the same when a process connects again, and is no other worker's id or identity. */
  join(workerId: string, identity = workerId): void {
    this.#identities.set(workerId, identity);
    this.#workerIds.set(identity, workerId);
  }

  leave(workerId: string): void {
    const identity = this.#identities.get(workerId);
    if (identity === undefined) return;
    this.#identities.delete(workerId);
    // The same process may have connected again before its old link was seen to break.
    if (this.#workerIds.get(identity) === workerId) this.#workerIds.delete(identity);
  }

  /** The session's next request for this model ("" for none) best goes there too, for ten minutes from now. */
  rememberSession(
    { session, model, workerId }: { session: string; model: string; workerId: string },
    nowMs: number,
  ): void {
    this.#sessions.set(pairKey(model, session), workerId, nowMs);
  }

  /** Ignored for a worker that has left. */
  rememberKept(id: string, workerId: string, nowMs: number): void {
    const identity = this.#identities.get(workerId);
    if (identity !== undefined) this.#kept.set(id, identity, nowMs);
  }

  /** What is known by then. Valid until the caller gives up its turn. */
  at(nowMs: number): AffinityView {
    this.#nowMs = nowMs;
    return this;
  }

  sticky(session: string, model: string): string | undefined {
    const workerId = this.#sessions.get(pairKey(model, session), this.#nowMs);
    return workerId !== undefined && this.#identities.has(workerId) ? workerId : undefined;
  }

  keeper(id: string): string | undefined {
    const identity = this.#kept.get(id, this.#nowMs);
    return identity === undefined ? undefined : this.#workerIds.get(identity);
  }
}
