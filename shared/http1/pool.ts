import type { Connection, ConnectionOwner } from "./connection.ts";
import type { Origin } from "./types.ts";

export interface PoolOptions {
  nowMs(): number;
  /** An older one is closed rather than used. */
  keepAliveMs: number;
  maxIdlePerOrigin: number;
}

/** The connections of a client: which are open, and which of them wait for the next request. */
export class Pool implements ConnectionOwner {
  readonly #options: PoolOptions;
  readonly #open = new Set<Connection>();
  /** By the origin's key, the one released last at the end. No key without a connection. */
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
  take(key: string): Connection | undefined {
    const idle = this.#idle.get(key);
    if (!idle) return undefined;
    // When the youngest is too old, all of them are.
    if (this.#isOld(idle.at(-1)!)) return this.#closeAll(idle.slice());
    const connection = idle.pop();
    if (idle.length === 0) this.#idle.delete(key);
    return connection;
  }

  released(connection: Connection): void {
    connection.idleSinceMs = this.#options.nowMs();
    const idle = this.#idle.get(connection.key) ?? [];
    if (idle.length >= this.#options.maxIdlePerOrigin) return connection.close();
    idle.push(connection);
    this.#idle.set(connection.key, idle);
  }

  closed(connection: Connection): void {
    this.#open.delete(connection);
    const idle = this.#idle.get(connection.key);
    const at = idle?.indexOf(connection) ?? -1;
    if (at < 0) return;
    idle!.splice(at, 1);
    if (idle!.length === 0) this.#idle.delete(connection.key);
  }

  /** Close what idled too long. */
  sweep(): void {
    for (const idle of [...this.#idle.values()]) {
      this.#closeAll(idle.filter((connection) => this.#isOld(connection)));
    }
  }

  closeIdle(): void {
    for (const idle of [...this.#idle.values()]) this.#closeAll(idle.slice());
  }

  #isOld(connection: Connection): boolean {
    return this.#options.nowMs() - connection.idleSinceMs >= this.#options.keepAliveMs;
  }

  #closeAll(connections: Connection[]): undefined {
    for (const connection of connections) connection.close();
  }
}

/** The same for origins whose connections may serve each other's requests. */
export function originKey({ host, port, tls, address }: Origin): string {
  const place = `${host} ${port} ${address ?? ""}`;
  if (!tls) return place;
  // Made for each request: JSON of all of it costs ten times as much. A host with a space cannot be written.
  const secure = `${place} ${tls.serverName}`;
  return tls.caPem ? `${secure} ${JSON.stringify(tls.caPem)}` : `${secure} `;
}
