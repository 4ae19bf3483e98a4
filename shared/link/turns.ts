import type { ExchangeId } from "./events.ts";
import type { FrameWriter } from "./frames.ts";
import { MAX_DATA_BYTES, MESSAGE_TARGET_BYTES, SEND_QUEUE_BYTES, TURN_BYTES } from "./limits.ts";

/** The body that one exchange sends: its credit, and the bytes that wait for credit or for their turn. */
export class OutgoingBody {
  readonly queue: { bytes: Uint8Array; flags: number }[] = [];
  queuedBytes = 0;
  /** The source was told to pause. */
  blocked = false;
  /** Something waits and there is credit for it: it stands in the ring. */
  inTurn = false;

  constructor(
    readonly id: ExchangeId,
    public credit: number,
  ) {}

  clear(): void {
    this.queue.length = 0;
    this.queuedBytes = 0;
  }
}

/**
 * Puts the bodies of all exchanges into one message after the other. Bytes go into the message under way at once
 * while there is credit and the message has room; else they wait in their exchange's queue, and the queues take
 * turns, so that a large body does not delay a small one by more than a turn of each other.
 */
export class Turns {
  readonly #writer: FrameWriter;
  readonly #ring: OutgoingBody[] = [];
  readonly #progress: (body: OutgoingBody) => void;

  /** `progress` is called for a body each time that bytes of its queue went into a message. */
  constructor(writer: FrameWriter, progress: (body: OutgoingBody) => void) {
    this.#writer = writer;
    this.#progress = progress;
  }

  /** False: enough of this body waits. */
  send(body: OutgoingBody, bytes: Uint8Array, flags: number): boolean {
    const rest = body.queuedBytes > 0 ? bytes : this.#write(body, bytes, flags);
    if (rest.length > 0) {
      body.queue.push({ bytes: rest.slice(), flags });
      body.queuedBytes += rest.length;
      this.#giveTurn(body);
    }
    body.blocked = body.queuedBytes >= SEND_QUEUE_BYTES;
    return !body.blocked;
  }

  grant(body: OutgoingBody, credit: number): void {
    body.credit += credit;
    this.#giveTurn(body);
  }

  /** Let bodies take turns until the message is full or nothing more may be sent. */
  fill(): void {
    while (this.#writer.length < MESSAGE_TARGET_BYTES && this.#ring.length > 0) this.#takeTurn();
  }

  #takeTurn(): void {
    const body = this.#ring.shift()!;
    body.inTurn = false;
    const first = body.queue[0];
    if (!first) return;
    const turn = first.bytes.subarray(0, this.#ring.length > 0 ? TURN_BYTES : MAX_DATA_BYTES);
    const written = turn.length - this.#write(body, turn, first.flags).length;
    body.queuedBytes -= written;
    if (written === first.bytes.length) body.queue.shift();
    else first.bytes = first.bytes.subarray(written);
    this.#giveTurn(body);
    this.#progress(body);
  }

  #giveTurn(body: OutgoingBody): void {
    if (body.inTurn || body.credit === 0 || body.queuedBytes === 0) return;
    body.inTurn = true;
    this.#ring.push(body);
  }

  /** Put as much into the message under way as credit and room allow; returns the rest. */
  #write(body: OutgoingBody, bytes: Uint8Array, flags: number): Uint8Array {
    const room = MESSAGE_TARGET_BYTES - this.#writer.length;
    const now = Math.min(bytes.length, body.credit, room, MAX_DATA_BYTES);
    if (now <= 0) return bytes;
    body.credit -= now;
    this.#writer.data(body.id, now === bytes.length ? bytes : bytes.subarray(0, now), flags);
    return bytes.subarray(now);
  }
}
