import type { Clock, Timer } from "../../shared/clock.ts";
import { RelayFailure } from "../../shared/failures.ts";
import type { LinkRequestHead, LinkResponseHead, ResetCode } from "../../shared/link/events.ts";
import type { ExchangeHandlers } from "../../shared/link/link.ts";
import { FAILURE_OF_RESET } from "../../shared/link/reset_failure.ts";
import type { Edit } from "../body_edits.ts";
import type { AnswerBody } from "./answer_body.ts";
import type { CarriedExchange, Carrier } from "./carrier.ts";
import type { RequestBody, UploadTarget } from "./request_body.ts";

/** How far a try had come when it failed: decides whether another may follow. */
export interface AttemptFailure {
  code: ResetCode;
  text: string;
  /** The worker had begun to contact its backend, or may have. */
  started: boolean;
}

/** As the client is told of it. */
export function failureOf({ code, text }: AttemptFailure): RelayFailure {
  return new RelayFailure(FAILURE_OF_RESET[code], { cause: text });
}

/** What a worker answered: the whole body, when it came with the head, or the exchange that goes on. */
export interface Answer {
  head: LinkResponseHead;
  /** The bytes that are there already: valid only during the call, copy what is kept. */
  early: Uint8Array[];
  /** `early` is all of it. */
  whole: boolean;
  /** It is whole and short: it may be kept while another worker is asked. */
  keepable: boolean;
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

/** Answers that are kept are short, and there at once: they say what went wrong. Others are told as they come. */
const KEPT_MAX_BYTES = 64 * 1024;
const HELD_BACK_MAX_MS = 1_000;

export interface AttemptOptions {
  readonly body: RequestBody;
  /** To the beginning of the body, on its way to this worker. */
  readonly edits: readonly Edit[];
  readonly events: AttemptEvents;
  readonly clock: Clock;
}

/** One try to have a request answered, over one link or by one provider. */
export class Attempt implements ExchangeHandlers, UploadTarget {
  readonly exchange: CarriedExchange;
  readonly #options: AttemptOptions;
  #started = false;
  #over = false;
  #uploaded = false;
  #head: LinkResponseHead | undefined;
  #early: Uint8Array[] = [];
  /** So many of these are copies. */
  #owned = 0;
  #ended = false;
  #answered = false;
  /** Runs while the answer is held back. */
  #patience: Timer | undefined;
  #answer: AnswerBody | undefined;
  #roomWanted: (() => void) | undefined;

  constructor(carrier: Carrier, head: LinkRequestHead, options: AttemptOptions) {
    this.#options = options;
    this.exchange = carrier.openExchange(head, this);
    if (head.hasBody) this.#upload();
    else this.#uploaded = true;
    this.exchange.flush?.();
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
    // Most answers are told within the turn that brought them: what is early then need not be copied.
    if (this.#answer) this.#answer.data(bytes);
    else this.#early.push(bytes);
  }

  writable(): void {
    this.#roomWanted?.();
    this.#roomWanted = undefined;
  }

  end(): void {
    this.#ended = true;
    // An answer that does not wait for the rest of the request: the rest is of no use to this worker.
    if (!this.#uploaded) this.exchange.reset("cancelled", "answered before the request was complete");
    this.#stop();
    this.#answer?.end();
  }

  reset(code: ResetCode, text: string): void {
    this.#stop();
    if (this.#answer) return this.#answer.reset(code, text);
    const started = this.#started || this.#head !== undefined;
    // An answer that breaks off within its first message was not passed on: it is none.
    this.#head = undefined;
    this.#options.events.failed({ code, text, started });
  }

  /** Head and first bytes usually share a message: pass them on together, whole when that is all. */
  settled(): void {
    if (this.#answer) return this.#answer.settled();
    if (!this.#head || this.#answered) return;
    if (!this.#isHeldBack(this.#head)) return this.#tell(this.#head);
    this.#own();
    const { clock } = this.#options;
    this.#patience ??= clock.after(HELD_BACK_MAX_MS, () => this.#tell(this.#head!));
  }

  // ---------------------------------------------------------------------------------------------------------

  #isHeldBack({ status }: LinkResponseHead): boolean {
    return !this.#ended && this.#isShort() && this.#options.events.holdsBack(status);
  }

  /** The bytes are valid up to here. */
  #own(): void {
    for (; this.#owned < this.#early.length; this.#owned++)
      this.#early[this.#owned] = new Uint8Array(this.#early[this.#owned]!);
  }

  #isShort(): boolean {
    return this.#early.reduce((sum, { length }) => sum + length, 0) <= KEPT_MAX_BYTES;
  }

  #tell(head: LinkResponseHead): void {
    this.#patience?.cancel();
    this.#answered = true;
    const whole = this.#ended;
    this.#options.events.answered({ head, early: this.#early, whole, keepable: whole && this.#isShort() });
  }

  #stop(): void {
    this.#over = true;
    this.#patience?.cancel();
    this.writable();
  }

  #upload(): void {
    const { body, edits, events } = this.#options;
    if (body.writeWhole(this.exchange, edits)) {
      this.#uploaded = true;
      return;
    }
    body.writeTo(this, edits).then(
      () => {
        this.#uploaded = true;
      },
      (error) => events.uploadFailed(error),
    );
  }
}
