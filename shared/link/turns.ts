import { LinkProtocolError } from "./events.ts";
import type { FrameWriter } from "./frame_writer.ts";
import {
  MAX_CREDIT_BYTES,
  MAX_DATA_BYTES,
  MESSAGE_TARGET_BYTES,
  SEND_QUEUE_BYTES,
  TURN_BYTES,
} from "./limits.ts";
import type { OutgoingBody } from "./outgoing_body.ts";

/**
 * Puts the bodies of all exchanges into one message after the other. Bytes go into the message under way at once
 * while there is credit, the message has room and nobody waits; else they wait in their exchange's queue, and the
 * queues take turns, so that a large body does not delay a small one by more than a turn of each other.
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
    // Who has bytes in a queue stands in the ring, or has no credit.
    const written = this.#ring.length === 0 ? this.#write(body, bytes, flags) : 0;
    if (written < bytes.length) {
      body.append(bytes.subarray(written), flags);
      this.#giveTurn(body);
    }
    body.blocked = body.queuedBytes >= SEND_QUEUE_BYTES;
    return !body.blocked;
  }

  /** @throws LinkProtocolError for more than an exchange may have */
  grant(body: OutgoingBody, credit: number): void {
    body.credit += credit;
    if (body.credit > MAX_CREDIT_BYTES) {
      throw new LinkProtocolError(`Exchange ${body.id} was granted ${body.credit} bytes`);
    }
    this.#giveTurn(body);
  }

  /** Let bodies take turns until the message is full or nothing more may be sent. */
  fill(): void {
    while (this.#writer.room > 0 && this.#ring.length > 0) this.#takeTurn();
  }

  #takeTurn(): void {
    const body = this.#ring.shift()!;
    body.inTurn = false;
    // Nothing waits when its exchange was reset meanwhile.
    if (body.queuedBytes === 0) return;
    for (let left = this.#ring.length > 0 ? TURN_BYTES : MESSAGE_TARGET_BYTES; left > 0; ) {
      const first = body.first(left);
      const written = first ? this.#write(body, first.bytes, first.flags) : 0;
      if (written === 0) break;
      left -= written;
      body.take(written);
    }
    this.#giveTurn(body);
    this.#progress(body);
  }

  #giveTurn(body: OutgoingBody): void {
    if (body.inTurn || body.credit === 0 || body.queuedBytes === 0) return;
    body.inTurn = true;
    this.#ring.push(body);
  }

  /** Put as much into the message under way as credit and room allow; returns how much. */
  #write(body: OutgoingBody, bytes: Uint8Array, flags: number): number {
    const now = Math.min(bytes.length, body.credit, this.#writer.room, MAX_DATA_BYTES);
    if (now <= 0) return 0;
    body.credit -= now;
    this.#writer.data(body.id, now === bytes.length ? bytes : bytes.subarray(0, now), flags);
    return now;
  }
}
