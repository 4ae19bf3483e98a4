import type { ExchangeId, LinkEvent, LinkResponseHead, ResetCode } from "./events.ts";
import { MAX_RESET_TEXT_BYTES } from "./limits.ts";
import type { MessageNamed } from "./messages.ts";
import { isEncoded, responsePairs } from "./plain_headers.ts";
import { MAX_HELD_UNITS } from "./plain_limits.ts";
import { sseStart } from "./sse_start.ts";

export interface AnswerOptions {
  exchange: ExchangeId;
  /** After `end` or `reset` nothing follows. */
  emit(event: LinkEvent): void;
  method: string;
  /** The request asked for a stream. */
  streaming: boolean;
  /** Both ends have the feature `head`. */
  carriesHead: boolean;
}

const EVENT_STREAM: LinkResponseHead = {
  status: 200,
  headers: [
    ["content-type", "text/event-stream"],
    ["cache-control", "no-cache"],
  ],
};

/**
 * The answer to one request, at the relay. A ModelRelay worker says status and headers only at the very end, also
 * of a stream: what begins like an event stream is taken for one with status 200, anything else is held back.
 */
export class PlainAnswer {
  #held = "";
  /** Of the head that was passed on. */
  #status: number | undefined;

  constructor(readonly options: AnswerOptions) {}

  chunk(message: MessageNamed<"response_chunk">): void {
    // As in ModelRelay: an answer that is not streamed has its body in `response_complete`.
    if (!this.options.streaming) return;
    if (this.#status !== undefined) return this.#piece(message.chunk);
    if (this.options.carriesHead && message.status_code !== undefined) return this.#firstWithHead(message);
    this.#held += message.chunk;
    if (sseStart(this.#held) !== "sse" && this.#held.length <= MAX_HELD_UNITS) return;
    this.#begin(EVENT_STREAM);
    this.#piece(this.#held);
    this.#held = "";
  }

  complete(message: MessageNamed<"response_complete">): void {
    const status = message.status_code;
    if (!isFinal(status)) return this.#invalid(status);
    if (this.#status !== undefined) return this.#endStream(status);
    const head = { status, headers: responsePairs(message.headers, this.options.method) };
    // A worker that read a coded body as text has damaged it.
    if (isEncoded(head.headers)) return this.#reset("invalid", "The worker sent a coded body as text");
    this.#whole(head, this.#held === "" ? (message.body ?? "") : this.#held);
  }

  failed({ code, message }: MessageNamed<"error">): void {
    this.#reset("backend_broke_off", `${code}: ${message}`.slice(0, MAX_RESET_TEXT_BYTES));
  }

  #firstWithHead(message: MessageNamed<"response_chunk">): void {
    const status = message.status_code as number;
    if (!isFinal(status)) return this.#invalid(status);
    this.#begin({ status, headers: responsePairs(message.headers, this.options.method) });
    this.#piece(message.chunk);
  }

  #whole(head: LinkResponseHead, body: string): void {
    const bodiless = this.options.method === "HEAD" || [204, 205, 304].includes(head.status);
    const bytes = new TextEncoder().encode(bodiless ? "" : body);
    if (!bodiless) head.headers.push(["content-length", `${bytes.length}`]);
    this.#begin(head);
    this.#data(bytes);
    this.#end();
  }

  #begin(head: LinkResponseHead): void {
    this.#status = head.status;
    this.options.emit({ type: "response", exchange: this.options.exchange, head });
  }

  #piece(text: string): void {
    this.#data(new TextEncoder().encode(text));
  }

  #data(bytes: Uint8Array): void {
    if (bytes.length > 0) this.options.emit({ type: "data", exchange: this.options.exchange, bytes });
  }

  #end(): void {
    this.options.emit({ type: "end", exchange: this.options.exchange });
  }

  #reset(code: ResetCode, text: string): void {
    this.options.emit({ type: "reset", exchange: this.options.exchange, code, text });
  }

  /** A stream that ends with a server's failure, which its head did not say, broke off. */
  #endStream(status: number): void {
    if (status < 500 || status === this.#status) return this.#end();
    const code = status === 504 ? "timeout" : "backend_broke_off";
    this.#reset(code, `The stream ended with status ${status}`);
  }

  #invalid(status: number): void {
    this.#reset("invalid", `A status must be from 200 to 599: found ${status}`);
  }
}

function isFinal(status: number): boolean {
  return status >= 200 && status <= 599;
}
