import { FAILURES } from "../failure_table.ts";
import {
  type ExchangeId,
  type LinkConnection,
  type LinkEvent,
  LinkProtocolError,
  type LinkRequestHead,
  type LinkResponseHead,
  type ResetCode,
} from "./events.ts";
import { MAX_EXCHANGES, MAX_RESET_TEXT_BYTES } from "./limits.ts";
import { type ControlMessage, FEATURE, type MessageNamed, parseRelayMessage } from "./messages.ts";
import { NamedExchanges } from "./named_exchanges.ts";
import { Budget } from "./plain_budget.ts";
import { controlForRelay } from "./plain_control.ts";
import { failureBody } from "./plain_failure.ts";
import { requestHead } from "./plain_head.ts";
import { MAX_COLLECTED_BYTES } from "./plain_limits.ts";
import { ControlQueue, UrgentQueue } from "./plain_queues.ts";
import { PlainReply } from "./plain_reply.ts";

export interface PlainWorkerOptions {
  /** Called during `receive` and `next`. */
  emit(event: LinkEvent): void;
  /** What `register` and `register_ack` both named. */
  features: readonly string[];
}

interface WorkerExchange {
  readonly id: ExchangeId;
  readonly reply: PlainReply;
}

/**
 * The worker's end of a plain link: ModelRelay's server, or ours in its manner, is at the other end. Everything
 * that goes wrong with one request is told in its answer: that server closes the link over an `error`, and over a
 * chunk for a request that is finished, and keeps the slot of a cancelled one until it is answered.
 */
export class PlainWorkerConnection implements LinkConnection {
  readonly form = "plain";
  /** Messages that mean nothing here: binary ones, cancels of what is over. */
  dropped = 0;

  readonly #options: PlainWorkerOptions;
  readonly #exchanges = new NamedExchanges<WorkerExchange>();
  /** Broke on this side; the owner is to be told: events come during `receive` and `next` only. */
  readonly #broken = new Map<WorkerExchange, ResetCode>();
  readonly #urgent = new UrgentQueue();
  readonly #controls = new ControlQueue();
  /** Exchanges with something to send, in the order of their turns. */
  readonly #turns = new Set<ExchangeId>();
  readonly #collected = new Budget(MAX_COLLECTED_BYTES);
  #lastId = 0;

  constructor(options: PlainWorkerOptions) {
    this.#options = options;
  }

  get open(): number {
    return this.#exchanges.size;
  }

  openExchange(): ExchangeId {
    throw new Error("Cannot open an exchange: only the relay does");
  }

  /** The other end does not want to know. */
  sendStarted(): void {}

  sendResponse(id: ExchangeId, head: LinkResponseHead): void {
    const exchange = this.#answering(id);
    if (exchange) this.#after(exchange, exchange.reply.respond(head));
  }

  sendData(id: ExchangeId, bytes: Uint8Array): boolean {
    const exchange = this.#answering(id);
    if (!exchange) return true;
    const { reply } = exchange;
    this.#after(exchange, reply.add(bytes));
    reply.blocked = reply.isFull && !reply.complete;
    return !reply.blocked;
  }

  sendEnd(id: ExchangeId): void {
    const exchange = this.#answering(id);
    if (exchange) this.#after(exchange, exchange.reply.end());
  }

  sendReset(id: ExchangeId, code: ResetCode): void {
    const exchange = this.#exchanges.get(id);
    if (!exchange) return;
    this.#broken.delete(exchange);
    if (exchange.reply.complete) return;
    exchange.reply.fail(code);
    this.#turns.add(exchange.id);
  }

  /** A request comes whole. */
  consumed(): void {}

  sendControl(message: ControlMessage): void {
    const known = controlForRelay(message, this.open);
    if (known) this.#controls.add(known);
  }

  next(): string | undefined {
    this.#reportBroken();
    return this.#urgent.take() ?? this.#controls.take() ?? this.#nextTurn();
  }

  #nextTurn(): string | undefined {
    const [id] = this.#turns;
    if (id === undefined) return undefined;
    const exchange = this.#exchanges.get(id)!;
    const { reply } = exchange;
    const message = reply.take();
    this.#turns.delete(exchange.id);
    if (reply.hasMessage) this.#turns.add(exchange.id);
    else if (reply.complete) this.#forget(exchange);
    if (reply.blocked && reply.hasRoom) {
      reply.blocked = false;
      this.#options.emit({ type: "writable", exchange: id });
    }
    return message;
  }

  /** Undefined: it is over as far as this side is concerned. */
  #answering(id: ExchangeId): WorkerExchange | undefined {
    const exchange = this.#exchanges.get(id);
    return exchange?.reply.complete ? undefined : exchange;
  }

  #after(exchange: WorkerExchange, failure: ResetCode | undefined): void {
    if (failure) {
      exchange.reply.fail(failure);
      this.#broken.set(exchange, failure);
    }
    if (exchange.reply.hasMessage) this.#turns.add(exchange.id);
  }

  // --- receiving -------------------------------------------------------------------------------------------

  receive(message: string | Uint8Array): void {
    this.#reportBroken();
    // As ModelRelay's worker does.
    if (typeof message !== "string") {
      this.dropped++;
      return;
    }
    const parsed = parseRelayMessage(message);
    if (parsed.type === "request") this.#onRequest(parsed);
    else if (parsed.type === "cancel") this.#onCancel(parsed);
    else this.#options.emit({ type: "control", message: parsed });
  }

  #onRequest(message: MessageNamed<"request">): void {
    const { request_id: requestId } = message;
    if (this.#exchanges.named(requestId))
      throw new LinkProtocolError("A request came with an id that is in use");
    if (this.open >= MAX_EXCHANGES)
      throw new LinkProtocolError(`More than ${MAX_EXCHANGES} requests are open`);
    const body = new TextEncoder().encode(message.body);
    const head = requestHead(message, body.length);
    if (!head)
      return this.#answer(
        requestId,
        400,
        failureBody(message.endpoint_path, "bad_request", FAILURES.bad_request.says),
      );
    const exchange = this.#create(requestId, head);
    const { id } = exchange;
    this.#tell(exchange, { type: "request", exchange: id, head });
    if (!head.hasBody) return;
    this.#tell(exchange, { type: "data", exchange: id, bytes: body });
    this.#tell(exchange, { type: "end", exchange: id });
  }

  /** Answered at once, and nothing of it follows: only then does a ModelRelay server free the slot. */
  #onCancel({ request_id: requestId, reason }: MessageNamed<"cancel">): void {
    const exchange = this.#exchanges.named(requestId);
    if (!exchange) {
      this.dropped++;
      return;
    }
    this.#forget(exchange);
    this.#answer(requestId, CLIENT_CLOSED_REQUEST, "");
    if (exchange.reply.complete) return;
    const text = typeof reason === "string" ? reason : reason.other.slice(0, MAX_RESET_TEXT_BYTES);
    this.#options.emit({ type: "reset", exchange: exchange.id, code: "cancelled", text });
  }

  #create(requestId: string, head: LinkRequestHead): WorkerExchange {
    const reply = new PlainReply({
      requestId,
      method: head.method,
      path: head.target,
      streaming: head.streaming,
      carriesHead: this.#options.features.includes(FEATURE.head),
      collected: this.#collected,
    });
    const exchange = { id: ++this.#lastId, reply };
    this.#exchanges.add(requestId, exchange);
    return exchange;
  }

  #answer(requestId: string, status: number, body: string): void {
    this.#urgent.add({ type: "response_complete", request_id: requestId, status_code: status, body });
  }

  // --- the end of an exchange ------------------------------------------------------------------------------

  #reportBroken(): void {
    for (const [exchange, code] of this.#broken) {
      this.#broken.delete(exchange);
      const text = "The answer does not fit a plain link";
      this.#options.emit({ type: "reset", exchange: exchange.id, code, text });
    }
  }

  #tell(exchange: WorkerExchange, event: LinkEvent): void {
    if (this.#answering(exchange.id)) this.#options.emit(event);
  }

  #forget(exchange: WorkerExchange): void {
    this.#exchanges.delete(exchange.reply.options.requestId, exchange.id);
    this.#turns.delete(exchange.id);
    exchange.reply.discard();
  }
}

/** nginx's status for a client that left; it reaches nobody. */
const CLIENT_CLOSED_REQUEST = 499;
