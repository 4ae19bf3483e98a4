import {
  INITIAL_WINDOW_BYTES,
  MAX_WINDOW_BYTES,
  REQUEST_WINDOW_BYTES,
  WINDOW_FLOOR_BYTES,
  WINDOW_POOL_BYTES,
} from "./limits.ts";

/**
 * How much the receiving end of a link lets its peer send. Every exchange has a window of at least the floor;
 * what is above it comes out of one pool, so that the sum is bounded whatever stalls. A window doubles each
 * time that a whole one was consumed while the pool is more than half full, and shrinks back towards the floor while it is
 * nearly used up: who reads gets more, who stalls keeps what it had, nobody starves.
 */
export class WindowPool {
  #used = 0;

  /** Bytes above the floors that windows hold now. */
  get used(): number {
    return this.#used;
  }

  /** For a response body: the REQUEST frame tells the peer its size. */
  openResponseWindow(): ReceiveWindow {
    const spare = Math.floor((WINDOW_POOL_BYTES - this.#used) / 8);
    return this.#open(Math.min(INITIAL_WINDOW_BYTES, WINDOW_FLOOR_BYTES + spare));
  }

  /** For a request body: of the size that both ends know. Its start is not taken from the pool: the number of
   * exchanges bounds it. */
  openRequestWindow(): ReceiveWindow {
    return new ReceiveWindow(this, REQUEST_WINDOW_BYTES, REQUEST_WINDOW_BYTES);
  }

  #open(size: number): ReceiveWindow {
    this.#used += size - WINDOW_FLOOR_BYTES;
    return new ReceiveWindow(this, size, WINDOW_FLOOR_BYTES);
  }

  /** How much a window of `size` should grow (or, below 0, shrink) at this moment. */
  adjust(size: number, floor: number): number {
    if (this.#used > 0.75 * WINDOW_POOL_BYTES) return -Math.min(size - floor, size >> 1);
    if (this.#used > 0.5 * WINDOW_POOL_BYTES) return 0;
    return Math.min(size, MAX_WINDOW_BYTES - size);
  }

  resize(by: number): void {
    this.#used += by;
  }
}

/** The window of one exchange's incoming half. */
export class ReceiveWindow {
  readonly #pool: WindowPool;
  readonly #floor: number;
  #size: number;
  /** What the peer may still send. */
  #credit: number;
  /** Consumed and not yet granted again. */
  #owed = 0;
  #consumedOfWindow = 0;

  constructor(pool: WindowPool, size: number, floor: number) {
    this.#pool = pool;
    this.#size = size;
    this.#floor = floor;
    this.#credit = size;
  }

  get size(): number {
    return this.#size;
  }

  /** Bytes arrived. False: more than was granted. */
  receive(bytes: number): boolean {
    this.#credit -= bytes;
    return this.#credit >= 0;
  }

  /** Bytes were passed on. Returns the credit to grant now, 0 while it is not worth a frame. */
  consume(bytes: number): number {
    this.#owed += bytes;
    this.#consumedOfWindow += bytes;
    if (this.#owed < this.#size >> 1) return 0;
    let grant = this.#owed;
    if (this.#consumedOfWindow >= this.#size) grant += this.#resize(grant);
    this.#owed = 0;
    this.#credit += grant;
    return grant;
  }

  /** The exchange is over: what it held of the pool is free. */
  close(): void {
    this.#pool.resize(this.#floor - this.#size);
    this.#size = this.#floor;
  }

  /** Returns by how much the grant changes. A window cannot shrink by more than the grant withholds. */
  #resize(grant: number): number {
    this.#consumedOfWindow = 0;
    const by = Math.max(this.#pool.adjust(this.#size, this.#floor), -grant);
    this.#size += by;
    this.#pool.resize(by);
    return by;
  }
}
