import { Buffer } from "node:buffer";
import type { LinkRequestHead, ResetCode } from "./events.ts";
import { serialise } from "./messages.ts";
import { Budget } from "./plain_budget.ts";
import { requestRecord } from "./plain_headers.ts";
import { MAX_COLLECTED_BYTES, MAX_SENT_TEXT_BYTES } from "./plain_limits.ts";
import { TextBody } from "./text_body.ts";

/** Why a request cannot go over a plain link. */
export interface PlainRefusal {
  code: ResetCode;
  text: string;
}

/** One request at the relay, which goes out as one message when its body is whole. */
export class PlainRequest {
  state: "collecting" | "queued" | "sent" | "dropped" = "collecting";
  /** Set while it is queued. */
  message = "";
  readonly body = new TextBody();

  constructor(
    readonly id: string,
    readonly head: LinkRequestHead,
  ) {}

  /** In ModelRelay's order of members; POST goes without saying. */
  serialise(): string {
    const { method, target, model, streaming } = this.head;
    const headers = requestRecord(this.head.headers);
    return serialise({
      type: "request",
      request_id: this.id,
      model,
      endpoint_path: target,
      is_streaming: streaming,
      body: this.body.take(),
      ...(headers ? { headers } : {}),
      ...(method === "POST" ? {} : { method }),
    });
  }
}

/** The requests that have not left the relay yet. What they keep is bounded, one by one and together. */
export class PlainRequestQueue {
  readonly #queue: PlainRequest[] = [];
  readonly #collected = new Budget(MAX_COLLECTED_BYTES);

  /** Add to the body. */
  collect(request: PlainRequest, bytes: Uint8Array): PlainRefusal | undefined {
    const fits = this.#collected.take(bytes.length);
    if (!request.body.add(bytes)) return NOT_TEXT;
    if (request.body.bytes > MAX_SENT_TEXT_BYTES) return TOO_LARGE;
    return fits ? undefined : TOO_MANY;
  }

  /** The body is whole. */
  finish(request: PlainRequest): PlainRefusal | undefined {
    if (!request.body.end()) return NOT_TEXT;
    const message = request.serialise();
    if (Buffer.byteLength(message) > MAX_SENT_TEXT_BYTES) return TOO_LARGE;
    request.message = message;
    request.state = "queued";
    this.#queue.push(request);
    return undefined;
  }

  /** The oldest that is whole, or undefined. It stays here until it is marked. */
  next(): PlainRequest | undefined {
    while (this.#queue[0] && this.#queue[0].state !== "queued") this.#queue.shift();
    return this.#queue[0];
  }

  /** It left, or never will. */
  mark(request: PlainRequest, state: "sent" | "dropped"): void {
    if (request.state === "sent" || request.state === "dropped") return;
    this.#collected.give(request.body.bytes);
    request.state = state;
    request.message = "";
  }
}

/** Why a request must not be sent to this worker: `leaving`, it was told so; `knowsMethod`, see `Registration`. */
export function refusalOf(
  head: LinkRequestHead,
  leaving: boolean,
  knowsMethod: boolean,
): PlainRefusal | undefined {
  if (leaving) return LEAVING;
  if (head.upgrade) return { code: "refused", text: "A plain link carries no WebSocket" };
  if (head.method === "POST" || knowsMethod) return undefined;
  return { code: "refused", text: `The worker would send a POST instead of ${head.method}` };
}

export const LEAVING: PlainRefusal = { code: "refused", text: "The worker was told to leave" };
const NOT_TEXT: PlainRefusal = { code: "text_only", text: "A plain link carries only UTF-8" };
const TOO_LARGE: PlainRefusal = {
  code: "too_large",
  text: `A plain link carries at most ${MAX_SENT_TEXT_BYTES} bytes of request`,
};
const TOO_MANY: PlainRefusal = {
  code: "too_large",
  text: `A plain link keeps at most ${MAX_COLLECTED_BYTES} bytes of waiting requests`,
};
