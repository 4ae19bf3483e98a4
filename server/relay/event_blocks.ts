import { Buffer } from "node:buffer";

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const COLON = 0x3a;

/**
 * Cuts an event stream into blocks, wherever its chunks end: an event, or comments, with the empty line behind it
 * (HTML standard, 9.2.5: lines end with LF, CR or both). All blocks together are the bytes that came, in order.
 */
export class EventBlocks {
  /** The beginning of a block that has not ended, with room for more: a copy, as a view would keep all its message. */
  #pending = new Uint8Array();
  #pendingBytes = 0;
  #lineIsEmpty = true;
  #afterCr = false;

  /** How long the block is that has not ended. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** The blocks that end in this chunk. */
  data(chunk: Uint8Array): Uint8Array[] {
    const blocks: Uint8Array[] = [];
    let start = 0;
    for (let at = 0; at < chunk.length; at++) {
      if (!this.#endsBlock(chunk[at]!)) continue;
      // The other half of the line end, when it is there: waiting for it would keep the event back.
      if (this.#afterCr && chunk[at + 1] === LF) {
        at++;
        this.#afterCr = false;
      }
      blocks.push(this.#taken(chunk.subarray(start, at + 1)));
      start = at + 1;
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
    return blocks;
  }

  /** What has come of a block that has not ended; empty when there is none. */
  rest(): Uint8Array {
    return this.#taken(new Uint8Array());
  }

  /** Whether this byte ends the empty line behind a block. */
  #endsBlock(byte: number): boolean {
    const secondHalf = byte === LF && this.#afterCr;
    this.#afterCr = byte === CR;
    if (secondHalf) return false;
    const endsLine = byte === LF || byte === CR;
    const ends = endsLine && this.#lineIsEmpty;
    this.#lineIsEmpty = endsLine;
    return ends;
  }

  #keep(bytes: Uint8Array): void {
    const length = this.#pendingBytes + bytes.length;
    if (length > this.#pending.length) {
      const larger = new Uint8Array(2 * length);
      larger.set(this.#pending);
      this.#pending = larger;
    }
    this.#pending.set(bytes, this.#pendingBytes);
    this.#pendingBytes = length;
  }

  #taken(last: Uint8Array): Uint8Array {
    if (this.#pendingBytes === 0) return last;
    this.#keep(last);
    const block = this.#pending.subarray(0, this.#pendingBytes);
    this.#pending = new Uint8Array();
    this.#pendingBytes = 0;
    return block;
  }
}

export interface EventFields {
  /** The field `event`; "" for none. */
  readonly name: string;
  /**
   * As long as the block, with a line feed for each byte that is not of a `data` field: JSON in it stands where it
   * stands in the block, also when it came in several lines.
   */
  readonly data: Uint8Array;
}

/** What a block says; undefined for a block without data, which is no event. */
export function eventFields(block: Uint8Array): EventFields | undefined {
  const data = new Uint8Array(block.length).fill(LF);
  let name = "";
  let hasData = false;
  for (const line of linesOf(block)) {
    const colon = line.indexOf(COLON);
    const field = latin1(line.subarray(0, Math.max(0, colon)));
    const value = line.subarray(line[colon + 1] === SPACE ? colon + 2 : colon + 1);
    if (field === "event") name = latin1(value);
    if (field !== "data") continue;
    hasData = true;
    data.set(value, value.byteOffset - block.byteOffset);
  }
  return hasData ? { name, data } : undefined;
}

function* linesOf(block: Uint8Array): Generator<Uint8Array> {
  let start = 0;
  for (let at = 0; at <= block.length; at++) {
    if (at < block.length && block[at] !== LF && block[at] !== CR) continue;
    yield block.subarray(start, at);
    start = at + 1;
  }
}

const latin1 = (bytes: Uint8Array) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
