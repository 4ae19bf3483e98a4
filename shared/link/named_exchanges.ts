import { OpenTable } from "../open_table.ts";
import type { ExchangeId } from "./events.ts";

/** The open exchanges of a plain link, which have a name on the wire and an id on this side of it. */
export class NamedExchanges<Exchange extends { readonly id: ExchangeId }> {
  readonly #exchanges = new OpenTable<Exchange>();
  /** Ids alone: a `Map` may keep what was deleted, see `OpenTable`. */
  readonly #ids = new Map<string, ExchangeId>();

  get size(): number {
    return this.#exchanges.size;
  }

  get(id: ExchangeId): Exchange | undefined {
    return this.#exchanges.get(id);
  }

  has(id: ExchangeId): boolean {
    return this.#exchanges.has(id);
  }

  named(name: string): Exchange | undefined {
    const id = this.#ids.get(name);
    return id === undefined ? undefined : this.#exchanges.get(id);
  }

  add(name: string, exchange: Exchange): void {
    this.#exchanges.set(exchange.id, exchange);
    this.#ids.set(name, exchange.id);
  }

  /** Idempotent. */
  delete(name: string, id: ExchangeId): void {
    this.#exchanges.delete(id);
    this.#ids.delete(name);
  }

  values(): Exchange[] {
    return this.#exchanges.values();
  }
}
