import type { Connection, ConnectionOwner } from "./connection.ts";

export interface PoolOptions {
  /** Milliseconds: costs no reading of the clock, and may be a sweep old: a connection then counts as idle for a little longer. */
  recentMs(): number;
  /** An older one is closed rather than used. */
  keepAliveMs: number;
  maxIdlePerOrigin: number;
}

/** The connections of a client: which are open, and which of them wait for the next request. */
export class Pool implements ConnectionOwner {
  readonly #options: PoolOptions;
  readonly #open = new Set<Connection>();
  /** By the destination's key, the one released last at the end. A list that is empty stays until the next sweep. */
  readonly #idle = new Map<string, Connection[]>();

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** Open connections, in use or idle. */
  get size(): number {
    return this.#open.size;
  }

  add(connection: Connection): void {
    this.#open.add(connection);
  }

  /** The connection that idled the shortest, so that those of a past peak grow old and close. */
  take(key: string, nowMs: number): Connection | undefined {
    const idle = this.#idle.get(key);
    const youngest = idle?.[idle.length - 1];
    if (!youngest) return undefined;
    // When the youngest is too old, all of them are.
    if (this.#isOld(youngest, nowMs)) return this.#closeAll(idle!.slice());
    return idle!.pop();
  }

  released(connection: Connection): void {
    connection.idleSinceMs = this.#options.recentMs();
    const idle = this.#idle.get(connection.key) ?? this.#newList(connection.key);
    if (idle.length >= this.#options.maxIdlePerOrigin) return connection.close();
    idle.push(connection);
  }

  closed(connection: Connection): void {
    this.#open.delete(connection);
    const idle = this.#idle.get(connection.key);
    const at = idle?.indexOf(connection) ?? -1;
    if (at >= 0) idle!.splice(at, 1);
  }

  #newList(key: string): Connection[] {
    const idle: Connection[] = [];
    this.#idle.set(key, idle);
    return idle;
  }

  /** Close what idled too long. */
  sweep(nowMs: number): void {
    for (const [key, idle] of this.#idle) {
      this.#closeAll(idle.filter((connection) => this.#isOld(connection, nowMs)));
      if (idle.length === 0) this.#idle.delete(key);
    }
  }

  closeIdle(): void {
    for (const idle of this.#idle.values()) this.#closeAll(idle.slice());
    this.#idle.clear();
  }

  #isOld(connection: Connection, nowMs: number): boolean {
    return nowMs - connection.idleSinceMs >= this.#options.keepAliveMs;
  }

  #closeAll(connections: Connection[]): undefined {
    for (const connection of connections) connection.close();
  }
}
