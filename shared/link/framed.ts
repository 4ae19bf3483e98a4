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
import { type HalfEvent, type HalfState, nextState } from "./exchange.ts";
import { FrameReceiver } from "./framed_receive.ts";
import { FLAG, FRAME, FrameWriter, pairsToLines } from "./frames.ts";
import {
  MAX_EXCHANGES,
  MAX_RESET_TEXT_BYTES,
  MAX_UNACKNOWLEDGED_RESETS,
  REQUEST_WINDOW_BYTES,
  SEND_QUEUE_BYTES,
} from "./limits.ts";
import { type ControlMessage, serialise } from "./messages.ts";
import { OutgoingBody, Turns } from "./turns.ts";
import { type ReceiveWindow, WindowPool } from "./windows.ts";

/** One exchange as an end of its link knows it. `sending` ends when `sendEnd` is called, maybe before its frame. */
class FramedExchange {
  endQueued = false;

  constructor(
    readonly body: OutgoingBody,
    readonly window: ReceiveWindow,
    public sending: HalfState,
    public receiving: HalfState,
  ) {}
}

export interface FramedOptions {
  role: "relay" | "worker";
  emit(event: LinkEvent): void;
}

/** The framed form: many exchanges on one link, each with its own credit in each direction. See `LinkConnection`. */
export class FramedConnection implements LinkConnection {
  readonly form = "framed";
  /** Frames for exchanges that were over. Some follow every reset; many without one hint at a broken peer. */
  dropped = 0;

  readonly #role: FramedOptions["role"];
  readonly #emit: FramedOptions["emit"];
  readonly #exchanges = new Map<ExchangeId, FramedExchange>();
  readonly #pool = new WindowPool();
  readonly #writer = new FrameWriter();
  readonly #turns = new Turns(this.#writer, (body) => this.#afterTurn(body));
  readonly #texts: string[] = [];
  readonly #unacknowledged = new Set<ExchangeId>();
  readonly #receiver: FrameReceiver;
  #lastId = 0;

  constructor(options: FramedOptions) {
    this.#role = options.role;
    this.#emit = options.emit;
    this.#receiver = new FrameReceiver(options.role, {
      request: (id, head, window) => this.#onRequest(id, head, window),
      progress: (id, event) => this.#onProgress(id, event),
      data: (id, bytes, text) => this.#onData(id, bytes, text),
      reset: (id, code, text) => this.#onReset(id, code, text),
      resetAck: (id) => this.#onResetAck(id),
      credit: (id, bytes) => this.#onCredit(id, bytes),
      control: (message) => this.#emit({ type: "control", message }),
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

  openExchange(head: LinkRequestHead): ExchangeId {
    if (this.open >= MAX_EXCHANGES) throw new RangeError(`Cannot open an exchange: ${this.open} are open`);
    const id = ++this.#lastId;
    const window = this.#pool.openResponseWindow();
    const sending = head.hasBody ? "request_body" : "ended";
    const body = new OutgoingBody(id, REQUEST_WINDOW_BYTES);
    this.#exchanges.set(id, new FramedExchange(body, window, sending, "awaiting"));
    const flags =
      (head.hasBody ? 0 : FLAG.NO_BODY) |
      (head.streaming ? FLAG.STREAMING : 0) |
      (head.upgrade ? FLAG.UPGRADE : 0);
    const pairs = pairsToLines(head.headers);
    const lines = `${head.method}\n${head.target}${pairs === "" ? "" : "\n"}${pairs}`;
    this.#writer.request(id, flags, { window: window.size, lines });
    return id;
  }

  sendStarted(id: ExchangeId): void {
    if (this.#advance(id, "started")) this.#writer.bare(FRAME.STARTED, id);
  }

  sendResponse(id: ExchangeId, head: LinkResponseHead): void {
    if (this.#advance(id, "response")) this.#writer.response(id, head.status, pairsToLines(head.headers));
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
    this.#forget(exchange);
    const bytes = Buffer.from(text.toWellFormed()).subarray(0, MAX_RESET_TEXT_BYTES);
    this.#writer.reset(id, RESET_CODES.indexOf(code), bytes);
    if (this.#role === "worker") return;
    this.#unacknowledged.add(id);
    if (this.#unacknowledged.size > MAX_UNACKNOWLEDGED_RESETS) {
      throw new LinkProtocolError(`The worker acknowledged none of ${this.#unacknowledged.size} resets`);
    }
  }

  consumed(id: ExchangeId, bytes: number): void {
    const exchange = this.#exchanges.get(id);
    if (!exchange || exchange.receiving === "ended") return;
    const grant = exchange.window.consume(bytes);
    if (grant > 0) this.#writer.credit(id, grant);
  }

  sendControl(message: ControlMessage): void {
    this.#texts.push(serialise(message));
  }

  next(): string | Uint8Array | undefined {
    if (this.#texts.length > 0) return this.#texts.shift();
    this.#turns.fill();
    return this.#writer.length > 0 ? this.#writer.take() : undefined;
  }

  /** Check that `event` may be sent now, and note it. Undefined when the exchange is over. */
  #advance(id: ExchangeId, event: HalfEvent): FramedExchange | undefined {
    const exchange = this.#exchanges.get(id);
    if (!exchange) return undefined;
    const next = nextState(exchange.sending, event);
    if (!next) throw new Error(`Cannot send ${event} on exchange ${id}: its half is ${exchange.sending}`);
    exchange.sending = next;
    return exchange;
  }

  #afterTurn(body: OutgoingBody): void {
    const exchange = this.#exchanges.get(body.id);
    if (exchange?.endQueued && body.queuedBytes === 0) this.#finishSending(exchange);
    else if (body.blocked && body.queuedBytes <= SEND_QUEUE_BYTES / 2) {
      body.blocked = false;
      this.#emit({ type: "writable", exchange: body.id });
    }
  }

  #finishSending(exchange: FramedExchange): void {
    exchange.endQueued = false;
    this.#writer.bare(FRAME.END, exchange.body.id);
    this.#forgetIfOver(exchange);
  }

  // --- receiving -------------------------------------------------------------------------------------------

  receive(message: string | Uint8Array): void {
    this.#receiver.receive(message);
  }

  #onRequest(id: ExchangeId, head: LinkRequestHead, credit: number): void {
    if (id <= this.#lastId) {
      throw new LinkProtocolError(`A REQUEST came for exchange ${id}: the last was ${this.#lastId}`);
    }
    if (this.open >= MAX_EXCHANGES)
      throw new LinkProtocolError(`More than ${MAX_EXCHANGES} exchanges are open`);
    this.#lastId = id;
    const body = new OutgoingBody(id, credit);
    const receiving = head.hasBody ? "request_body" : "ended";
    this.#exchanges.set(id, new FramedExchange(body, this.#pool.openRequestWindow(), "awaiting", receiving));
    this.#emit({ type: "request", exchange: id, head });
  }

  #onProgress(id: ExchangeId, event: Extract<LinkEvent, { type: "started" | "response" | "end" }>): void {
    const exchange = this.#expect(id, event.type);
    if (!exchange) return;
    this.#emit(event);
    if (event.type === "end") this.#forgetIfOver(exchange);
  }

  #onData(id: ExchangeId, bytes: Uint8Array, text: boolean): void {
    const exchange = this.#expect(id, "data");
    if (!exchange) return;
    if (!exchange.window.receive(bytes.length)) {
      throw new LinkProtocolError(
        `Exchange ${id} sent more than its credit: its window is ${exchange.window.size}`,
      );
    }
    this.#emit(text ? { type: "data", exchange: id, bytes, text } : { type: "data", exchange: id, bytes });
  }

  /** A worker acknowledges even what it no longer knows: the relay's reset may have crossed its end. */
  #onReset(id: ExchangeId, code: ResetCode, text: string): void {
    const exchange = this.#exchanges.get(id);
    if (exchange) {
      this.#forget(exchange);
      this.#emit({ type: "reset", exchange: id, code, text });
    }
    if (this.#role === "worker") this.#writer.bare(FRAME.RESET_ACK, id);
  }

  #onResetAck(id: ExchangeId): void {
    if (this.#unacknowledged.delete(id)) this.#emit({ type: "reset_ack", exchange: id });
  }

  #onCredit(id: ExchangeId, bytes: number): void {
    const exchange = this.#exchanges.get(id);
    if (!exchange) return;
    this.#turns.grant(exchange.body, bytes);
    if (exchange.body.credit > 0x7fffffff)
      throw new LinkProtocolError(`Exchange ${id} was granted over 2 GiB`);
  }

  /** Check that the peer may send `event` now, and note it. Undefined when the exchange is over. */
  #expect(id: ExchangeId, event: HalfEvent): FramedExchange | undefined {
    const exchange = this.#exchanges.get(id);
    if (!exchange) {
      if (id > this.#lastId)
        throw new LinkProtocolError(`${event} came for exchange ${id}, which was never opened`);
      this.dropped++;
      return undefined;
    }
    const next = nextState(exchange.receiving, event);
    if (!next) throw new LinkProtocolError(`${event} came on exchange ${id} in state ${exchange.receiving}`);
    exchange.receiving = next;
    return exchange;
  }

  #forgetIfOver(exchange: FramedExchange): void {
    const sent = exchange.sending === "ended" && !exchange.endQueued;
    if (sent && exchange.receiving === "ended") this.#forget(exchange);
  }

  #forget(exchange: FramedExchange): void {
    this.#exchanges.delete(exchange.body.id);
    exchange.body.clear();
    exchange.endQueued = false;
    exchange.window.close();
  }
}
