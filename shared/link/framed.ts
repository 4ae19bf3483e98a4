import { Buffer } from "node:buffer";
import {
  type ExchangeId,
  type LinkConnection,
  type LinkEvent,
  LinkProtocolError,
  type LinkRequestHead,
  type LinkResponseHead,
  RESET_CODES,
  type ResetCode,
} from "./events.ts";
import type { HalfEvent } from "./exchange.ts";
import { FrameWriter } from "./frame_writer.ts";
import { FramedExchange, OpenExchanges } from "./framed_exchange.ts";
import { FrameReceiver, type Progress } from "./framed_receive.ts";
import { FLAG, FRAME } from "./frames.ts";
import {
  MAX_HEAD_BYTES,
  MAX_RESET_TEXT_BYTES,
  MAX_UNACKNOWLEDGED_RESETS,
  MAX_WAITING_BYTES,
  REQUEST_WINDOW_BYTES,
  SEND_QUEUE_BYTES,
} from "./limits.ts";
import type { ControlMessage } from "./messages.ts";
import { OutgoingBody } from "./outgoing_body.ts";
import { ControlQueue } from "./plain_queues.ts";
import { Turns } from "./turns.ts";
import { WindowPool } from "./windows.ts";

export interface FramedOptions {
  role: "relay" | "worker";
  /** Called during `receive` and `next`; may call whatever sends. */
  emit(event: LinkEvent): void;
}

/** The framed form: many exchanges on one link, each with its own credit in each direction. See `LinkConnection`. */
export class FramedConnection implements LinkConnection {
  readonly form = "framed";
  /** Frames for exchanges that are not open. Some follow every reset; many without one hint at a broken peer. */
  dropped = 0;

  readonly #role: FramedOptions["role"];
  readonly #emit: FramedOptions["emit"];
  readonly #exchanges = new OpenExchanges();
  readonly #pool = new WindowPool();
  readonly #writer = new FrameWriter();
  readonly #turns = new Turns(this.#writer, (body) => this.#afterTurn(body));
  readonly #controls = new ControlQueue();
  readonly #unacknowledged = new Set<ExchangeId>();
  readonly #receiver: FrameReceiver;

  constructor({ role, emit }: FramedOptions) {
    this.#role = role;
    this.#emit = emit;
    this.#receiver = new FrameReceiver(role, {
      request: (id, head, window) => this.#onRequest(id, head, window),
      progress: (event) => this.#onProgress(event),
      data: (id, bytes, text) => this.#onData(id, bytes, text),
      reset: (id, code, text) => this.#onReset(id, code, text),
      resetAck: (id) => this.#onResetAck(id),
      credit: (id, bytes) => this.#onCredit(id, bytes),
      control: (message) => emit({ type: "control", message }),
    });
  }

  get open(): number {
    return this.#exchanges.size;
  }

  /** Resets whose acknowledgement is outstanding: cancels that may not have reached the backend yet. */
  get unacknowledgedResets(): number {
    return this.#unacknowledged.size;
  }

  // --- sending ---------------------------------------------------------------------------------------------

  /**
   * @throws RelayFailure `header_too_large`
   * @throws RangeError when as many as may be are open
   * @throws LinkProtocolError when the peer takes nothing, or no ids are left: the link is of no further use
   */
  openExchange(head: LinkRequestHead): ExchangeId {
    this.#checkWaiting();
    const id = this.#exchanges.nextId();
    const window = this.#pool.openResponseWindow();
    try {
      this.#writer.request(id, head, window.size);
    } catch (error) {
      window.release();
      throw error;
    }
    const body = new OutgoingBody(id, REQUEST_WINDOW_BYTES);
    const sending = head.hasBody ? "request_body" : "ended";
    this.#exchanges.add(new FramedExchange(body, window, { sending, receiving: "awaiting" }));
    return id;
  }

  sendStarted(id: ExchangeId): void {
    if (this.#advance(id, "started")) this.#writer.bare(FRAME.STARTED, id);
  }

  /** @throws RangeError when the head is over the limits */
  sendResponse(id: ExchangeId, head: LinkResponseHead): void {
    if (this.#advance(id, "response")) this.#writer.response(id, head);
  }

  sendData(id: ExchangeId, bytes: Uint8Array, text = false): boolean {
    const exchange = this.#advance(id, "data");
    return exchange ? this.#turns.send(exchange.body, bytes, text ? FLAG.TEXT : 0) : true;
  }

  sendEnd(id: ExchangeId): void {
    const exchange = this.#advance(id, "end");
    if (!exchange) return;
    if (exchange.body.queuedBytes > 0) exchange.endQueued = true;
    else this.#finishSending(exchange);
  }

  sendReset(id: ExchangeId, code: ResetCode, text: string): void {
    const exchange = this.#exchanges.get(id);
    if (!exchange) return;
    this.#exchanges.forget(exchange);
    const bytes = Buffer.from(text.toWellFormed()).subarray(0, MAX_RESET_TEXT_BYTES);
    this.#writer.reset(id, RESET_CODES.indexOf(code), bytes);
    if (this.#role === "relay") this.#unacknowledged.add(id);
  }

  consumed(id: ExchangeId, bytes: number): void {
    const exchange = this.#exchanges.get(id);
    if (!exchange || exchange.receiving === "ended") return;
    const grant = exchange.window.consume(bytes);
    if (grant > 0) this.#writer.credit(id, grant);
  }

  sendControl(message: ControlMessage): void {
    this.#controls.add(message);
  }

  /** @throws LinkProtocolError when the worker acknowledges none of very many resets */
  next(): string | Uint8Array | undefined {
    if (this.#unacknowledged.size > MAX_UNACKNOWLEDGED_RESETS) {
      throw new LinkProtocolError(`The worker did not acknowledge ${this.#unacknowledged.size} resets`);
    }
    const control = this.#controls.take();
    if (control !== undefined) return control;
    this.#turns.fill();
    return this.#writer.take();
  }

  /** Undefined: the exchange is over. */
  #advance(id: ExchangeId, event: HalfEvent): FramedExchange | undefined {
    const exchange = this.#exchanges.get(id);
    exchange?.sends(event);
    return exchange;
  }

  #afterTurn(body: OutgoingBody): void {
    const exchange = this.#exchanges.get(body.id)!;
    if (exchange.endQueued) {
      if (body.queuedBytes === 0) this.#finishSending(exchange);
    } else if (body.blocked && body.queuedBytes <= SEND_QUEUE_BYTES / 2) {
      body.blocked = false;
      this.#emit({ type: "writable", exchange: body.id });
    }
  }

  #finishSending(exchange: FramedExchange): void {
    exchange.endQueued = false;
    this.#writer.bare(FRAME.END, exchange.body.id);
    if (exchange.over) this.#exchanges.forget(exchange);
  }

  #checkWaiting(): void {
    const { waitingBytes } = this.#writer;
    if (waitingBytes <= MAX_WAITING_BYTES + this.open * MAX_HEAD_BYTES) return;
    throw new LinkProtocolError(`The other end takes nothing: ${waitingBytes} bytes of frames wait for it`);
  }

  // --- receiving -------------------------------------------------------------------------------------------

  receive(message: string | Uint8Array): void {
    this.#receiver.receive(message);
    // A peer may reset and reset, and read none of the answers.
    this.#checkWaiting();
  }

  #onRequest(id: ExchangeId, head: LinkRequestHead, credit: number): void {
    this.#exchanges.expectNew(id);
    const receiving = head.hasBody ? "request_body" : "ended";
    const body = new OutgoingBody(id, credit);
    const window = this.#pool.openRequestWindow();
    this.#exchanges.add(new FramedExchange(body, window, { sending: "awaiting", receiving }));
    this.#emit({ type: "request", exchange: id, head });
  }

  #onProgress(event: Progress): void {
    const exchange = this.#expect(event.exchange, event.type);
    if (!exchange) return;
    if (event.type === "end") {
      exchange.window.close();
      if (exchange.over) this.#exchanges.forget(exchange);
    }
    this.#emit(event);
  }

  /** Empty ones cost no credit, so that nobody may be made to keep any number of them. */
  #onData(id: ExchangeId, bytes: Uint8Array, text: boolean): void {
    const exchange = this.#expect(id, "data");
    if (!exchange || bytes.length === 0) return;
    const { window } = exchange;
    if (!window.receive(bytes.length)) {
      throw new LinkProtocolError(`Exchange ${id} sent ${-window.credit} bytes more than its credit`);
    }
    this.#emit(text ? { type: "data", exchange: id, bytes, text } : { type: "data", exchange: id, bytes });
  }

  /** A worker acknowledges even what it does not know: the relay's reset may have crossed its end. */
  #onReset(id: ExchangeId, code: ResetCode, text: string): void {
    const exchange = this.#exchanges.get(id);
    if (exchange) {
      this.#exchanges.forget(exchange);
      this.#emit({ type: "reset", exchange: id, code, text });
    }
    if (this.#role === "worker") this.#writer.bare(FRAME.RESET_ACK, id);
  }

  #onResetAck(id: ExchangeId): void {
    if (this.#unacknowledged.delete(id)) this.#emit({ type: "reset_ack", exchange: id });
  }

  #onCredit(id: ExchangeId, bytes: number): void {
    const exchange = this.#exchanges.get(id);
    if (exchange) this.#turns.grant(exchange.body, bytes);
  }

  /** Undefined: the exchange is not open. */
  #expect(id: ExchangeId, event: HalfEvent): FramedExchange | undefined {
    const exchange = this.#exchanges.get(id);
    if (exchange) exchange.receives(event);
    else this.dropped++;
    return exchange;
  }
}
