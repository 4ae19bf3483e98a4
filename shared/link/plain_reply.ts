import { Buffer } from "node:buffer";
import { fieldValue } from "../headers.ts";
import type { LinkResponseHead, ResetCode } from "./events.ts";
import { SEND_QUEUE_BYTES } from "./limits.ts";
import { serialise } from "./messages.ts";
import type { Budget } from "./plain_budget.ts";
import { failureEvent, plainFailure } from "./plain_failure.ts";
import { isEncoded, responseRecord } from "./plain_headers.ts";
import { CHUNK_UNITS, MAX_SENT_TEXT_BYTES } from "./plain_limits.ts";
import { TextBody } from "./text_body.ts";

export interface ReplyOptions {
  requestId: string;
  method: string;
  path: string;
  /** The request asked for a stream. */
  streaming: boolean;
  /** Both ends have the feature `head`: status and headers go ahead of the body. */
  carriesHead: boolean;
  /** Shared by all of a link. */
  collected: Budget;
}

/**
 * The answer to one request, at the worker. A successful event stream leaves in chunks; everything else is
 * collected and leaves whole, for a ModelRelay server turns any stream into a 200 event stream.
 */
export class PlainReply {
  /** `sendData` said false. */
  blocked = false;
  /** Nothing is added any more; it is over when the last message was taken. */
  complete = false;

  readonly #body = new TextBody();
  #head: LinkResponseHead | undefined;
  #streams = false;
  /** Status and headers that the first chunk is to carry. */
  #headWaits = false;
  /** Text of a stream that waits for its turn. */
  #queued = "";
  /** The end of what was queued, to find out whether an event is complete. */
  #tail = "";
  #chunksTaken = 0;
  #collected = 0;
  /** The last message, serialised. */
  #last = "";

  constructor(readonly options: ReplyOptions) {}

  get hasMessage(): boolean {
    return this.#headWaits || this.#queued !== "" || this.#last !== "";
  }

  get isFull(): boolean {
    return this.#queued.length > SEND_QUEUE_BYTES;
  }

  get hasRoom(): boolean {
    return this.#queued.length <= SEND_QUEUE_BYTES / 2;
  }

  /** This and the next two: a code says that the rest of the answer is not wanted, as it cannot be carried. */
  respond(head: LinkResponseHead): ResetCode | undefined {
    if (isEncoded(head.headers)) return "text_only";
    this.#head = head;
    this.#streams = this.options.streaming && isEventStream(head);
    this.#headWaits = this.#streams && this.options.carriesHead;
    return undefined;
  }

  add(bytes: Uint8Array): ResetCode | undefined {
    if (!this.#body.add(bytes)) return "text_only";
    if (this.#streams) this.#queue(this.#body.take());
    else {
      this.#collected += bytes.length;
      if (!this.options.collected.take(bytes.length) || this.#collected > MAX_SENT_TEXT_BYTES)
        return "too_large";
    }
    return undefined;
  }

  end(): ResetCode | undefined {
    if (!this.#body.end()) return "text_only";
    const { status, headers } = this.#head ?? { status: 502, headers: [] };
    const last = this.#lastMessage(
      status,
      responseRecord(headers, this.options.method),
      this.#streams ? "" : this.#body.take(),
    );
    if (Buffer.byteLength(last) > MAX_SENT_TEXT_BYTES) return "too_large";
    this.#complete(last);
    return undefined;
  }

  /** End with a failure that the client can read: as the answer, or as the last event of a stream that has begun. */
  fail(code: ResetCode): void {
    const { status, body, headers } = plainFailure(code, this.options.path);
    this.discard();
    const begun = this.#chunksTaken > 0 || this.#queued !== "";
    this.#headWaits &&= begun;
    if (!begun) return this.#complete(this.#lastMessage(status, headers, body));
    this.#queue(failureEvent(body, this.#tail));
    this.#complete(this.#lastMessage(status === 504 ? 504 : 502, undefined, ""));
  }

  /** The next message. Only while `hasMessage`. */
  take(): string {
    if (this.#headWaits || this.#queued !== "") return this.#takeChunk();
    const last = this.#last;
    this.#last = "";
    this.discard();
    return last;
  }

  /** It takes no room any more. Idempotent. */
  discard(): void {
    this.options.collected.give(this.#collected);
    this.#collected = 0;
  }

  #takeChunk(): string {
    const chunk = this.#cut();
    const head = this.#headWaits ? this.#head : undefined;
    this.#headWaits = false;
    this.#chunksTaken++;
    const headers = head && responseRecord(head.headers, this.options.method);
    return serialise({
      type: "response_chunk",
      request_id: this.options.requestId,
      chunk,
      ...(head ? { status_code: head.status } : {}),
      ...(headers ? { headers } : {}),
    });
  }

  /** Take text off the queue, never half of a character outside the basic plane. */
  #cut(): string {
    let end = CHUNK_UNITS;
    if (this.#queued.length > end && (this.#queued.charCodeAt(end - 1) & 0xfc00) === 0xd800) end--;
    const chunk = this.#queued.slice(0, end);
    this.#queued = this.#queued.slice(end);
    return chunk;
  }

  #queue(text: string): void {
    this.#queued += text;
    this.#tail = (this.#tail + text).slice(-2);
  }

  #complete(last: string): void {
    this.complete = true;
    this.#last = last;
  }

  #lastMessage(status: number, headers: Record<string, string> | undefined, body: string): string {
    return serialise({
      type: "response_complete",
      request_id: this.options.requestId,
      status_code: status,
      ...(headers ? { headers } : {}),
      body,
    });
  }
}

function isEventStream({ status, headers }: LinkResponseHead): boolean {
  const type = (fieldValue(headers, "content-type") ?? "").split(";")[0]!.trim().toLowerCase();
  return status >= 200 && status <= 299 && type === "text/event-stream";
}
