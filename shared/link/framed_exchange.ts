import { OpenTable } from "../open_table.ts";
import { type ExchangeId, LinkProtocolError } from "./events.ts";
import { type HalfEvent, type HalfState, nextState } from "./exchange.ts";
import { MAX_EXCHANGE_ID, MAX_EXCHANGES } from "./limits.ts";
import type { OutgoingBody } from "./outgoing_body.ts";
import type { ReceiveWindow } from "./windows.ts";

/** One exchange as an end of its link knows it. */
export class FramedExchange {
  /** `sendEnd` was called, and the END frame has to wait for bytes that go before it. */
  endQueued = false;

  sending: HalfState;
  receiving: HalfState;

  constructor(
    readonly body: OutgoingBody,
    readonly window: ReceiveWindow,
    halves: { sending: HalfState; receiving: HalfState },
  ) {
    this.sending = halves.sending;
    this.receiving = halves.receiving;
  }

  get over(): boolean {
    return this.sending === "ended" && !this.endQueued && this.receiving === "ended";
  }

  /** @throws Error when `event` may not be sent now: that is a mistake of this end */
  sends(event: HalfEvent): void {
    const next = nextState(this.sending, event);
    if (!next)
      throw new Error(`Cannot send ${event} on exchange ${this.body.id}: its half is ${this.sending}`);
    this.sending = next;
  }

  /** @throws LinkProtocolError when the peer may not send `event` now */
  receives(event: HalfEvent): void {
    const next = nextState(this.receiving, event);
    if (!next) {
      throw new LinkProtocolError(`${event} came on exchange ${this.body.id} in state ${this.receiving}`);
    }
    this.receiving = next;
  }
}

/** The exchanges that are open on one link, and the ids that were given away. */
export class OpenExchanges {
  readonly #open = new OpenTable<FramedExchange>();
  #lastId = 0;

  get size(): number {
    return this.#open.size;
  }

  get(id: ExchangeId): FramedExchange | undefined {
    return this.#open.get(id);
  }

  /**
   * The id for a new one.
   * @throws RangeError when as many as may be are open
   * @throws LinkProtocolError when all ids were given away
   */
  nextId(): ExchangeId {
    if (this.size >= MAX_EXCHANGES) throw new RangeError(`Cannot open an exchange: ${this.size} are open`);
    if (this.#lastId === MAX_EXCHANGE_ID)
      throw new LinkProtocolError("The link has used all its exchange ids");
    return this.#lastId + 1;
  }

  /** @throws LinkProtocolError when the peer may not open one with this id */
  expectNew(id: ExchangeId): void {
    if (id <= this.#lastId) {
      throw new LinkProtocolError(`A REQUEST came for exchange ${id}: the last was ${this.#lastId}`);
    }
    if (this.size >= MAX_EXCHANGES) {
      throw new LinkProtocolError(`A REQUEST came while ${this.size} exchanges were open`);
    }
  }

  add(exchange: FramedExchange): void {
    this.#lastId = exchange.body.id;
    this.#open.set(exchange.body.id, exchange);
  }

  /** Idempotent. */
  forget(exchange: FramedExchange): void {
    this.#open.delete(exchange.body.id);
    exchange.body.clear();
    exchange.endQueued = false;
    exchange.window.release();
  }
}
