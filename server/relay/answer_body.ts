import type { Clock } from "../../shared/clock.ts";
import type { FailureCode } from "../../shared/failures.ts";
import { ByteQueue } from "../../shared/link/byte_queue.ts";
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

/** Written at a time of what waits: enough for a client that is quick again. */
const WRITE_BYTES = 64 * 1024;

/** A response body on its way from the link to the client, one chunk after the other, at the client's pace. */
export class AnswerBody implements BodySource, Watched {
  deadlineMs: number;
  bytes = 0;
  readonly #options: AnswerBodyOptions;
  #sink: BodySink | undefined;
  /**
   * What came before the runtime was ready for it, or while the client was behind. Not for the runtime to keep, which
   * would tell only when all of it has left: so the worker gets credit piece by piece.
   */
  readonly #waiting = new ByteQueue();
  /** Not yet taken by the client: the worker gets no credit for these bytes. */
  #unconsumed = 0;
  #blocked = false;
  #ended = false;
  #over = false;
  readonly #watch: number;

  constructor(options: AnswerBodyOptions, early: Uint8Array[]) {
    this.#options = options;
    this.deadlineMs = options.clock.nowMs() + options.responseIdleMs;
    for (const chunk of early) this.data(chunk);
    this.#watch = options.sweeper.watch(this);
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
    if (this.#sink) this.#finish();
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
    this.#writeWaiting();
    if (this.#over) this.#cut();
    else if (this.#ended) this.#finish();
    else this.settled();
  }

  drain(): void {
    this.#blocked = false;
    this.#caughtUp();
    this.#writeWaiting();
    if (this.#ended) this.#endIfTaken();
    else this.settled();
  }

  cancel(): void {
    this.#waiting.clear();
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
    if (this.#sink && !this.#blocked && this.#waiting.queuedBytes === 0) this.#write(piece);
    else this.#waiting.append(piece, 0);
  }

  /** As much as the client takes. */
  #writeWaiting(): void {
    while (!this.#blocked) {
      const first = this.#waiting.first(WRITE_BYTES);
      if (!first) return;
      this.#write(first.bytes);
      this.#waiting.take(first.bytes.length);
    }
  }

  #write(chunk: Uint8Array): void {
    if (this.#sink!.write(chunk)) return;
    this.#blocked = true;
    this.deadlineMs = this.#options.clock.nowMs() + this.#options.slowReaderMs;
  }

  /** The client has all but what waits here, which may be longer than what came of it. */
  #caughtUp(): void {
    const taken = Math.max(0, this.#unconsumed - this.#waiting.queuedBytes);
    this.#options.exchange.consumed(taken);
    this.#unconsumed -= taken;
    this.deadlineMs = this.#options.clock.nowMs() + this.#options.responseIdleMs;
  }

  /** All of it came from the worker; what the client has not taken leaves at its pace. */
  #finish(): void {
    if (this.#over) return;
    this.#endIfTaken();
    this.#conclude({ kind: "complete" });
  }

  #endIfTaken(): void {
    if (this.#waiting.queuedBytes === 0) this.#sink!.end();
    else this.#sink!.flush();
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
    this.#options.sweeper.release(this.#watch);
    this.#options.over(outcome);
  }
}
