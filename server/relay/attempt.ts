import { Buffer } from "node:buffer";
import type { LinkRequestHead, LinkResponseHead, ResetCode } from "../../shared/link/events.ts";
import type { ExchangeHandlers, Link, LinkExchange } from "../../shared/link/link.ts";
import type { Edit } from "../body_edits.ts";
import type { AnswerBody } from "./answer_body.ts";
import type { RequestBody, UploadTarget } from "./request_body.ts";

/** How far a try had come when it failed: decides whether another may follow. */
export interface AttemptFailure {
  code: ResetCode;
  text: string;
  /** The worker had begun to contact its backend, or may have. */
  started: boolean;
}

/** What a worker answered: the whole body, when it came with the head, or the exchange that goes on. */
export interface Answer {
  head: LinkResponseHead;
  /** The bytes that are there already. */
  early: Uint8Array[];
  /** `early` is all of it. */
  whole: boolean;
}

export interface AttemptEvents {
  answered(answer: Answer): void;
  /** Nothing of an answer was seen. */
  failed(failure: AttemptFailure): void;
  /** Reading the client's body failed: it left, or sent too much. */
  uploadFailed(error: unknown): void;
  /** Whether an answer with this status is to be whole before it is told: another worker may do better. */
  holdsBack(status: number): boolean;
}

/** Answers that are held back are short: they say what went wrong. Longer ones are told as they are. */
const HELD_BACK_MAX_BYTES = 64 * 1024;

/** One try to have a request answered over one link. */
export class Attempt implements ExchangeHandlers, UploadTarget {
  readonly exchange: LinkExchange;
  readonly #events: AttemptEvents;
  readonly #body: RequestBody;
  readonly #edits: readonly Edit[];
  #started = false;
  #over = false;
  #uploaded = false;
  #head: LinkResponseHead | undefined;
  #early: Uint8Array[] = [];
  #ended = false;
  #answered = false;
  #answer: AnswerBody | undefined;
  #roomWanted: (() => void) | undefined;

  /** `edits`: to the beginning of the body, on its way to this worker. */
  constructor(
    link: Link,
    head: LinkRequestHead,
    { body, edits, events }: { body: RequestBody; edits: readonly Edit[]; events: AttemptEvents },
  ) {
    this.#events = events;
    this.#body = body;
    this.#edits = edits;
    this.exchange = link.openExchange(head, this);
    if (head.hasBody) this.#upload();
    else this.#uploaded = true;
  }

  get stopped(): boolean {
    return this.#over;
  }

  /** From here on the response body goes there. */
  passOn(answer: AnswerBody): void {
    this.#answer = answer;
    this.#early = [];
  }

  /** Give up: the worker stops, no event follows. */
  cancel(code: ResetCode, text: string): void {
    if (this.#over) return;
    this.#stop();
    this.exchange.reset(code, text);
  }

  room(): Promise<void> {
    if (this.#over) return Promise.resolve();
    return new Promise((resolve) => {
      this.#roomWanted = resolve;
    });
  }

  // --- from the link ---------------------------------------------------------------------------------------

  started(): void {
    this.#started = true;
  }

  response(head: LinkResponseHead): void {
    this.#head = head;
  }

  data(bytes: Uint8Array): void {
    if (this.#answer) this.#answer.data(bytes);
    else this.#early.push(bytes);
  }

  writable(): void {
    this.#roomWanted?.();
    this.#roomWanted = undefined;
  }

  end(): void {
    this.#ended = true;
    // An answer that does not wait for the rest of the request: the rest is of no use to anybody.
    if (!this.#uploaded) {
      this.exchange.reset("cancelled", "answered before the request was complete");
      this.#body.discard();
    }
    this.#stop();
    this.#answer?.end();
  }

  reset(code: ResetCode, text: string): void {
    this.#stop();
    if (this.#answer) return this.#answer.reset(code, text);
    const started = this.#started || this.#head !== undefined;
    // An answer that breaks off within its first message was not passed on: it is none.
    this.#head = undefined;
    this.#events.failed({ code, text, started });
  }

  /** Head and first bytes usually share a message: pass them on together, whole when that is all. */
  settled(): void {
    if (this.#answer) return this.#answer.settled();
    if (!this.#head || this.#answered || this.#isHeldBack(this.#head)) return;
    this.#answered = true;
    this.#events.answered({ head: this.#head, early: this.#early, whole: this.#ended });
  }

  // ---------------------------------------------------------------------------------------------------------

  #isHeldBack({ status }: LinkResponseHead): boolean {
    if (this.#ended || !this.#events.holdsBack(status)) return false;
    return this.#early.reduce((sum, { length }) => sum + length, 0) <= HELD_BACK_MAX_BYTES;
  }

  #stop(): void {
    this.#over = true;
    this.writable();
  }

  #upload(): void {
    this.#body.writeTo(this, this.#edits).then(
      () => {
        this.#uploaded = true;
      },
      (error) => this.#events.uploadFailed(error),
    );
  }
}

/** Chunks as one, without copying when there is one. */
export function joined(chunks: readonly Uint8Array[]): Uint8Array {
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
}
