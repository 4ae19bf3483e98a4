import type { Clock } from "../../shared/clock.ts";
import type { FailureCode } from "../../shared/failures.ts";
import type { ResetCode } from "../../shared/link/events.ts";
import type { BodySink, BodySource } from "../../shared/runtime/ports.ts";
import type { Sweeper, Watched } from "../../shared/sweeper.ts";
import type { AnswerWay } from "./answer_way.ts";
import type { CarriedExchange } from "./carrier.ts";

/** How a response body ended. Anything but `complete` the client sees as a broken connection. */
export type BodyOutcome =
  | { kind: "complete" }
  | { kind: "client_gone" }
  /** The client took nothing for too long while there was something for it. */
  | { kind: "slow_reader" }
  /** The backend said nothing for too long. */
  | { kind: "idle" }
  | { kind: "broke_off"; code: ResetCode; text: string }
  /** The request failed after its answer had begun: its body grew too long. */
  | { kind: "failed"; code: FailureCode };

export interface AnswerBodyOptions extends Pick<AnswerWay, "lessons" | "change"> {
  exchange: CarriedExchange;
  clock: Clock;
  sweeper: Sweeper;
  responseIdleMs: number;
  slowReaderMs: number;
  /** Called once. The slot is free from here on. */
  over(outcome: BodyOutcome): void;
}

/** A response body on its way from the link to the client, one chunk after the other, at the client's pace. */
export class AnswerBody implements BodySource, Watched {
  deadlineMs: number;
  bytes = 0;
  readonly #options: AnswerBodyOptions;
  #sink: BodySink | undefined;
  /** What came before the runtime was ready for it. */
  #early: Uint8Array[] = [];
  /** Given to the sink and not yet taken by it: the worker gets no credit for these bytes. */
  #unconsumed = 0;
  #blocked = false;
  #ended = false;
  #over = false;

  constructor(options: AnswerBodyOptions, early: Uint8Array[]) {
    this.#options = options;
    this.deadlineMs = options.clock.nowMs() + options.responseIdleMs;
    for (const chunk of early) this.data(chunk);
    options.sweeper.watch(this);
  }

  // --- from the link ---------------------------------------------------------------------------------------

  data(chunk: Uint8Array): void {
    if (this.#over) return;
    const { lessons, change } = this.#options;
    this.#unconsumed += chunk.length;
    lessons.data(chunk);
    if (change) for (const piece of change.data(chunk)) this.#pass(piece);
    else this.#pass(chunk);
  }

  settled(): void {
    if (this.#over || !this.#sink) return;
    this.#sink.flush();
    if (!this.#blocked) this.#caughtUp();
  }

  end(): void {
    this.#ended = true;
    this.#options.lessons.end();
    for (const piece of this.#options.change?.end() ?? []) this.#pass(piece);
    if (this.#sink) this.#finish({ kind: "complete" });
  }

  reset(code: ResetCode, text: string): void {
    this.#breakOff({ kind: "broke_off", code, text });
  }

  /** The request failed: there is nothing to answer any more. Nothing happens when the answer is complete. */
  fail(code: FailureCode): void {
    this.#breakOff({ kind: "failed", code });
  }

  // --- from the runtime ------------------------------------------------------------------------------------

  start(sink: BodySink): void {
    this.#sink = sink;
    for (const chunk of this.#early) this.#write(chunk);
    this.#early = [];
    if (this.#over) this.#cut();
    else if (this.#ended) this.#finish({ kind: "complete" });
    else this.settled();
  }

  drain(): void {
    this.#blocked = false;
    this.#caughtUp();
  }

  cancel(): void {
    if (this.#over) return;
    this.#options.exchange.reset("cancelled", "the client left");
    this.#conclude({ kind: "client_gone" });
  }

  /** The deadline is the slow reader's while the client is behind, the backend's otherwise. */
  expired(): void {
    this.#options.exchange.reset("timeout", "");
    this.#breakOff({ kind: this.#blocked ? "slow_reader" : "idle" });
  }

  // ---------------------------------------------------------------------------------------------------------

  /** A piece for the client. */
  #pass(piece: Uint8Array): void {
    this.bytes += piece.length;
    if (this.#sink) this.#write(piece);
    else this.#early.push(piece);
  }

  #write(chunk: Uint8Array): void {
    if (this.#sink!.write(chunk) || this.#blocked) return;
    this.#blocked = true;
    this.deadlineMs = this.#options.clock.nowMs() + this.#options.slowReaderMs;
  }

  #caughtUp(): void {
    this.#options.exchange.consumed(this.#unconsumed);
    this.#unconsumed = 0;
    this.deadlineMs = this.#options.clock.nowMs() + this.#options.responseIdleMs;
  }

  #finish(outcome: BodyOutcome): void {
    if (this.#over) return;
    this.#sink!.end();
    this.#conclude(outcome);
  }

  #breakOff(outcome: BodyOutcome): void {
    if (this.#over) return;
    this.#cut();
    this.#conclude(outcome);
  }

  /**
   * What came before the break is the client's, as it would be without a relay. Bun drops it, and the head with it,
   * when the break follows in the same turn.
   */
  #cut(): void {
    for (const piece of this.#options.change?.cut() ?? []) this.#pass(piece);
    this.#sink?.flush();
    this.#options.clock.after(0, () => this.#sink?.abort());
  }

  #conclude(outcome: BodyOutcome): void {
    this.#over = true;
    this.#options.sweeper.release(this);
    this.#options.over(outcome);
  }
}
