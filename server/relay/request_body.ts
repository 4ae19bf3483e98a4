import { Buffer } from "node:buffer";
import { RelayFailure } from "../../shared/failures.ts";
import type { FieldReader } from "../../shared/received_fields.ts";
import { release } from "../../shared/release.ts";
import { applyEdits, type Edit } from "../body_edits.ts";
import type { CarriedExchange } from "./carrier.ts";

export interface BodyLimits {
  /** Longer bodies are refused, at once when they announce it. */
  maxBodySizeBytes: number;
  /** How much may be looked at for routing. */
  peekLimitBytes: number;
  /** How much is kept so that the request can be sent again. */
  replayLimitBytes: number;
}

/** Whose body it is. */
export interface BodySender {
  /** The next bytes are what is waited for (true), or are not (false): the upload's idle limit runs meanwhile. */
  keepsWaiting(isWaiting: boolean): void;
  /** A body that came in one go is here. */
  bodyHere(): void;
  /** It cannot come: `client_gone` or `body_too_large`. */
  failed(failure: RelayFailure): void;
}

export interface BodySource {
  readonly request: Request;
  readonly fields: FieldReader;
  readonly sender: BodySender;
}

/** Up to this length a body is read in one go, which is cheaper and cannot take long. */
export const ONE_READ_BYTES = 64 * 1024;

/**
 * A client's request body: looked at by routing, written to one exchange, and written again to the next one while
 * all of it is still here. Never in memory whole but for what the limits say.
 */
export class RequestBody {
  /** A short body, which is read in one go. */
  readonly #short: Promise<Uint8Array> | undefined;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  readonly #sender: BodySender;
  readonly #limits: BodyLimits;
  /** Chunks from the start, or what comes next when the start is no longer kept. */
  #kept: Uint8Array[] = [];
  #keptBytes = 0;
  #receivedBytes = 0;
  #ended = false;
  #replayable = true;
  #reading: Promise<void> | undefined;

  /** @throws RelayFailure `body_too_large` when the announced length is over the limit */
  constructor({ request, fields, sender }: BodySource, limits: BodyLimits) {
    this.#limits = limits;
    this.#sender = sender;
    const announced = Number(fields.get("content-length") ?? Number.NaN);
    if (announced > limits.maxBodySizeBytes) throw tooLarge(limits.maxBodySizeBytes);
    // Before `request.body` is looked at: on Bun that makes a stream.
    if (announced <= Math.min(ONE_READ_BYTES, limits.peekLimitBytes, limits.replayLimitBytes)) {
      this.#short = request.bytes();
    } else {
      this.#reader = request.body?.getReader();
      this.#ended = this.#reader === undefined;
    }
  }

  /** All of it is still to come, and comes in one go: nothing else may be asked before. */
  get isArriving(): boolean {
    return this.#short !== undefined && !this.#ended;
  }

  /** Tells `bodyHere` or `failed` once all of a body that is arriving is here, or cannot come. */
  awaitWhole(): void {
    this.#sender.keepsWaiting(true);
    this.#short!.then(
      (bytes) => this.#arrived(bytes),
      (cause) => this.#sender.failed(new RelayFailure("client_gone", { cause })),
    );
  }

  #arrived(bytes: Uint8Array): void {
    this.#sender.keepsWaiting(false);
    try {
      this.#take(bytes);
    } catch (failure) {
      return this.#sender.failed(failure as RelayFailure);
    }
    this.#sender.bodyHere();
  }

  get isEmpty(): boolean {
    return this.#ended && this.#receivedBytes === 0;
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** Bytes in memory. */
  get heldBytes(): number {
    return this.#keptBytes;
  }

  /** All that was sent so far is still here. */
  get replayable(): boolean {
    return this.#replayable;
  }

  /** All of the body is here. */
  get whole(): boolean {
    return this.#ended && this.#replayable;
  }

  /** What is here of its beginning; undefined when nothing is. */
  get start(): Uint8Array | undefined {
    if (this.#kept.length > 1) this.#kept = [Buffer.concat(this.#kept)];
    return this.#kept[0];
  }

  /** Wait until as much is here as routing may look at, or all of it. */
  async peek(): Promise<void> {
    while (!this.#ended && this.#receivedBytes < this.#limits.peekLimitBytes) await this.#read();
  }

  /**
   * Write a short body that is here whole, whatever room there is. False: it is none, see `writeTo`. `edits` as there.
   */
  writeWhole(exchange: CarriedExchange, edits: readonly Edit[]): boolean {
    const { start } = this;
    if (!this.whole || !start || start.length > ONE_READ_BYTES) return false;
    exchange.write(edits.length > 0 ? applyEdits(start, edits) : start);
    exchange.end();
    return true;
  }

  /**
   * Write all of the body to an exchange, at its pace. `target.stopped` is looked at after every wait; a stopped
   * target gets nothing more. What is there already is written before the call returns. `edits` are made to `start`
   * as it is written; what is kept stays as it came.
   * @throws RelayFailure `body_too_large`, or `client_gone`
   */
  async writeTo(target: UploadTarget, edits: readonly Edit[] = []): Promise<void> {
    let edited = edits.length > 0 && this.start ? applyEdits(this.start, edits) : undefined;
    for (let at = 0; !target.stopped; ) {
      const chunk = this.#kept[at];
      if (chunk) {
        const isLast = !this.#replayable;
        if (isLast) this.#drop();
        else at++;
        const hasRoom = target.exchange.write(edited ?? chunk);
        edited = undefined;
        if (isLast) release(chunk);
        if (!hasRoom) await target.room();
      } else if (this.#ended) {
        target.exchange.end();
        return;
      } else {
        await this.#read();
        // Somebody else may be writing by now: what is kept is theirs.
        if (target.stopped) return;
        if (!this.#replayable && at > 0) {
          this.#kept.splice(0, at);
          this.#keptBytes = this.#kept.reduce((sum, kept) => sum + kept.length, 0);
          at = 0;
        }
      }
    }
  }

  /** Nobody wants the rest. */
  discard(): void {
    this.#kept = [];
    this.#reader?.cancel().catch(() => {});
  }

  #drop(): void {
    this.#keptBytes -= this.#kept.shift()!.length;
  }

  /** One more chunk. Two callers share one read. */
  #read(): Promise<void> {
    this.#reading ??= this.#readOnce().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #readOnce(): Promise<void> {
    this.#sender.keepsWaiting(true);
    const { done, value } = await this.#reader!.read().catch(gone);
    this.#sender.keepsWaiting(false);
    if (done) this.#ended = true;
    else this.#take(value);
  }

  #take(chunk: Uint8Array): void {
    if (this.#reader === undefined) this.#ended = true;
    if (chunk.length === 0) return;
    this.#receivedBytes += chunk.length;
    if (this.#receivedBytes > this.#limits.maxBodySizeBytes) throw tooLarge(this.#limits.maxBodySizeBytes);
    this.#kept.push(chunk);
    this.#keptBytes += chunk.length;
    if (this.#receivedBytes > this.#limits.replayLimitBytes) this.#replayable = false;
  }
}

/** Where a body is written to. */
export interface UploadTarget {
  readonly exchange: CarriedExchange;
  /** The exchange is over. */
  readonly stopped: boolean;
  /** Resolves when the exchange takes bytes again, or is over. */
  room(): Promise<void>;
}

/** A body cannot be read when its client has broken off. */
function gone(cause: unknown): never {
  throw new RelayFailure("client_gone", { cause });
}

function tooLarge(limit: number): RelayFailure {
  return new RelayFailure("body_too_large", { detail: `the limit is ${limit} bytes` });
}
