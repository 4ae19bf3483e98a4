import {
  type ExchangeId,
  type LinkConnection,
  type LinkEvent,
  LinkProtocolError,
  type LinkRequestHead,
  type ResetCode,
} from "./events.ts";
import { MAX_EXCHANGES } from "./limits.ts";
import {
  type ControlMessage,
  FEATURE,
  type MessageNamed,
  parseWorkerMessage,
  type WorkerMessage,
} from "./messages.ts";
import { NamedExchanges } from "./named_exchanges.ts";
import { PlainAnswer } from "./plain_answer.ts";
import { controlForWorker } from "./plain_control.ts";
import { MAX_EXCHANGE_BACKLOG_BYTES, MAX_LINK_BACKLOG_BYTES } from "./plain_limits.ts";
import { ControlQueue, UrgentQueue } from "./plain_queues.ts";
import { LEAVING, type PlainRefusal, PlainRequest, PlainRequestQueue, refusalOf } from "./plain_request.ts";

export interface PlainRelayOptions {
  /** Called during `receive` and `next`. */
  emit(event: LinkEvent): void;
  /** Another id with each call, which nobody can guess. */
  randomId(): string;
  /** Without it anything but POST is refused: ModelRelay's worker posts whatever it is told. */
  peerKnowsMethod: boolean;
  /** What `register` and `register_ack` both named. */
  features: readonly string[];
}

interface RelayExchange {
  readonly id: ExchangeId;
  readonly request: PlainRequest;
  readonly answer: PlainAnswer;
  /** Of the answer: emitted and not yet consumed. */
  backlogBytes: number;
}

/**
 * The relay's end of a plain link: ModelRelay's worker, or ours in its manner, is at the other end. A request is
 * collected and sent as one message. There is no flow control: an answer that piles up here is given up.
 * `reset_ack` is never emitted, as ModelRelay's worker confirms nothing.
 */
export class PlainRelayConnection implements LinkConnection {
  readonly form = "plain";
  /** Messages for exchanges that were over or never were. Some follow a cancel. */
  dropped = 0;

  readonly #options: PlainRelayOptions;
  readonly #exchanges = new NamedExchanges<RelayExchange>();
  readonly #requests = new PlainRequestQueue();
  /** Exchanges that are over without their owner knowing: events come during `receive` and `next` only. */
  readonly #refused = new Map<RelayExchange, PlainRefusal>();
  readonly #urgent = new UrgentQueue();
  readonly #controls = new ControlQueue();
  #lastId = 0;
  #backlogBytes = 0;
  /** The worker was told to leave: another request would make it drop the link. */
  #draining = false;

  constructor(options: PlainRelayOptions) {
    this.#options = options;
  }

  get open(): number {
    return this.#exchanges.size;
  }

  openExchange(head: LinkRequestHead): ExchangeId {
    if (this.open >= MAX_EXCHANGES) throw new RangeError(`Cannot open an exchange: ${this.open} are open`);
    const request = new PlainRequest(this.#options.randomId(), head);
    if (this.#exchanges.named(request.id))
      throw new Error("Cannot open an exchange: its random id is in use");
    const exchange = this.#create(request);
    const refusal = refusalOf(head, this.#draining, this.#options.peerKnowsMethod);
    if (refusal) this.#refuse(exchange, refusal);
    else if (!head.hasBody) this.sendEnd(exchange.id);
    return exchange.id;
  }

  sendData(id: ExchangeId, bytes: Uint8Array): boolean {
    const exchange = this.#exchanges.get(id);
    if (exchange?.request.state !== "collecting") return true;
    const refusal = this.#requests.collect(exchange.request, bytes);
    if (refusal) this.#refuse(exchange, refusal);
    return true;
  }

  sendEnd(id: ExchangeId): void {
    const exchange = this.#exchanges.get(id);
    if (exchange?.request.state !== "collecting") return;
    const refusal = this.#draining ? LEAVING : this.#requests.finish(exchange.request);
    if (refusal) this.#refuse(exchange, refusal);
  }

  /** @throws LinkProtocolError when the socket has taken none of very many cancels. */
  sendReset(id: ExchangeId, code: ResetCode): void {
    const exchange = this.#exchanges.get(id);
    if (!exchange) return;
    const wasSent = exchange.request.state === "sent";
    this.#forget(exchange);
    if (wasSent) this.#cancel(exchange, code);
  }

  sendControl(message: ControlMessage): void {
    const known = controlForWorker(message);
    if (!known) return;
    if (known.type === "graceful_shutdown") this.#draining = true;
    // The ack comes before the first request.
    if (known.type === "register_ack") this.#urgent.add(known);
    else this.#controls.add(known);
  }

  sendStarted(): void {}
  sendResponse(): void {}

  consumed(id: ExchangeId, bytes: number): void {
    const exchange = this.#exchanges.get(id);
    if (exchange) this.#addBacklog(exchange, -bytes);
  }

  next(): string | undefined {
    this.#reportRefused();
    return this.#urgent.take() ?? this.#nextRequest() ?? this.#controls.take();
  }

  #nextRequest(): string | undefined {
    for (let request = this.#requests.next(); request; request = this.#requests.next()) {
      const exchange = this.#exchanges.named(request.id)!;
      this.#options.emit({ type: "started", exchange: exchange.id });
      // Its owner may have given it up just now.
      if (!this.#exchanges.has(exchange.id)) continue;
      const { message } = request;
      this.#requests.mark(request, "sent");
      return message;
    }
    return undefined;
  }

  #create(request: PlainRequest): RelayExchange {
    const id = ++this.#lastId;
    const { method, streaming } = request.head;
    const answer = new PlainAnswer({
      exchange: id,
      method,
      streaming,
      carriesHead: this.#options.features.includes(FEATURE.head),
      emit: (event) => this.#onAnswer(exchange, event),
    });
    const exchange = { id, request, answer, backlogBytes: 0 };
    this.#exchanges.add(request.id, exchange);
    return exchange;
  }

  #cancel({ request }: RelayExchange, code: ResetCode): void {
    const reason = code === "timeout" ? "timeout" : "client_disconnect";
    this.#urgent.add({ type: "cancel", request_id: request.id, reason });
  }

  // --- receiving -------------------------------------------------------------------------------------------

  receive(message: string | Uint8Array): void {
    this.#reportRefused();
    if (typeof message !== "string") throw new LinkProtocolError("A binary message came on a plain link");
    this.#on(parseWorkerMessage(message));
  }

  #on(message: WorkerMessage): void {
    switch (message.type) {
      case "register":
        throw new LinkProtocolError("The worker registered a second time");
      case "response_chunk":
        return this.#onChunk(message);
      case "response_complete":
        return this.#sent(message.request_id)?.answer.complete(message);
      case "error":
        if (message.request_id !== undefined) return this.#sent(message.request_id)?.answer.failed(message);
    }
    this.#options.emit({ type: "control", message });
  }

  /** Only what was sent over this very link can be answered, and only until it is over. */
  #sent(requestId: string): RelayExchange | undefined {
    const exchange = this.#exchanges.named(requestId);
    if (exchange?.request.state === "sent") return exchange;
    this.dropped++;
    return undefined;
  }

  /** A whole answer makes no backlog: its message was bounded, and nothing more comes. */
  #onChunk(message: MessageNamed<"response_chunk">): void {
    const exchange = this.#sent(message.request_id);
    exchange?.answer.chunk(message);
    if (exchange && exchange.backlogBytes > MAX_EXCHANGE_BACKLOG_BYTES) this.#overflow(exchange);
    else if (this.#backlogBytes > MAX_LINK_BACKLOG_BYTES) {
      const all = this.#exchanges.values();
      this.#overflow(all.reduce((most, other) => (other.backlogBytes > most.backlogBytes ? other : most)));
    }
  }

  #onAnswer(exchange: RelayExchange, event: LinkEvent): void {
    if (event.type === "end" || event.type === "reset") return this.#finish(exchange, event);
    if (!this.#exchanges.has(exchange.id)) return;
    if (event.type === "data") this.#addBacklog(exchange, event.bytes.length);
    this.#options.emit(event);
  }

  #overflow(exchange: RelayExchange): void {
    const text = `${exchange.backlogBytes} bytes of the answer wait for the client`;
    this.#finish(exchange, { type: "reset", exchange: exchange.id, code: "overflow", text });
    this.#cancel(exchange, "overflow");
  }

  // --- the end of an exchange ------------------------------------------------------------------------------

  #refuse(exchange: RelayExchange, refusal: PlainRefusal): void {
    this.#requests.mark(exchange.request, "dropped");
    this.#refused.set(exchange, refusal);
  }

  #reportRefused(): void {
    for (const [exchange, { code, text }] of this.#refused) {
      this.#finish(exchange, { type: "reset", exchange: exchange.id, code, text });
    }
  }

  #finish(exchange: RelayExchange, event: LinkEvent): void {
    if (!this.#exchanges.has(exchange.id)) return;
    this.#forget(exchange);
    this.#options.emit(event);
  }

  #forget(exchange: RelayExchange): void {
    this.#exchanges.delete(exchange.request.id, exchange.id);
    this.#refused.delete(exchange);
    this.#requests.mark(exchange.request, "dropped");
    this.#addBacklog(exchange, -exchange.backlogBytes);
  }

  #addBacklog(exchange: RelayExchange, bytes: number): void {
    exchange.backlogBytes += bytes;
    this.#backlogBytes += bytes;
  }
}
