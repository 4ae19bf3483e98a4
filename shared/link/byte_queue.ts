import { release } from "../release.ts";

/**
 * Small pieces that wait are put together: an event is 200 bytes, an object for it as much. The first block is
 * for a few of them, later ones for as much as waits already.
 */
const FIRST_BLOCK_BYTES = 1024;
const MAX_BLOCK_BYTES = 16 * 1024;

interface Block {
  bytes: Uint8Array;
  /** What is waiting stands from `start` to `end`. */
  start: number;
  end: number;
  flags: number;
}

/** Bytes that wait, in order, as copies. */
export class ByteQueue {
  readonly #blocks: Block[] = [];
  queuedBytes = 0;

  /** Keep a copy behind what waits already. Pieces with flags are messages and stay apart. */
  append(bytes: Uint8Array, flags: number): void {
    const last = this.#blocks.at(-1);
    if (last && flags === 0 && last.flags === 0 && last.end + bytes.length <= last.bytes.length) {
      last.bytes.set(bytes, last.end);
      last.end += bytes.length;
    } else {
      this.#blocks.push(this.#block(bytes, flags));
    }
    this.queuedBytes += bytes.length;
  }

  /** Up to `limit` bytes of what waits longest, with their flags. Valid until `append` or `take`. */
  first(limit: number): { bytes: Uint8Array; flags: number } | undefined {
    const block = this.#blocks[0];
    if (!block) return undefined;
    const end = Math.min(block.end, block.start + limit);
    return { bytes: block.bytes.subarray(block.start, end), flags: block.flags };
  }

  /** These bytes of the first wait no longer. */
  take(bytes: number): void {
    const block = this.#blocks[0]!;
    block.start += bytes;
    this.queuedBytes -= bytes;
    if (block.start < block.end) return;
    this.#blocks.shift();
    release(block.bytes);
  }

  clear(): void {
    this.#blocks.length = 0;
    this.queuedBytes = 0;
  }

  #block(bytes: Uint8Array, flags: number): Block {
    const room = Math.min(Math.max(this.queuedBytes, FIRST_BLOCK_BYTES), MAX_BLOCK_BYTES);
    const block = new Uint8Array(flags === 0 ? Math.max(bytes.length, room) : bytes.length);
    block.set(bytes);
    return { bytes: block, start: 0, end: bytes.length, flags };
  }
}
