import {
  INITIAL_WINDOW_BYTES,
  MAX_WINDOW_BYTES,
  REQUEST_WINDOW_BYTES,
  WINDOW_FLOOR_BYTES,
  WINDOW_POOL_BYTES,
} from "./limits.ts";

/**
 * How much the receiving end of a link lets its peer send. Every exchange has a window of at least its floor;
 * what is above it comes out of one pool, so that the sum is bounded whatever stalls. A window doubles each time
 * that a whole one was consumed while at least half of the pool is free, and halves, down to its floor, while less
 * than a quarter is: who reads gets more, who stalls keeps what it had, nobody starves.
 */
export class WindowPool {
  #used = 0;

  /** Bytes above the floors that windows hold now. */
  get used(): number {
    return this.#used;
  }

  /**
   * For a response body: the REQUEST frame tells the peer its size. It takes an eighth of what is left at most, so
   * the pool is never empty.
   */
  openResponseWindow(): ReceiveWindow {
    const spare = Math.floor((WINDOW_POOL_BYTES - this.#used) / 8);
    const size = Math.min(INITIAL_WINDOW_BYTES, WINDOW_FLOOR_BYTES + spare);
    this.resize(size - WINDOW_FLOOR_BYTES);
    return new ReceiveWindow(this, size, WINDOW_FLOOR_BYTES);
  }

  /** For a request body: of the size that both ends know, which is its floor too. */
  openRequestWindow(): ReceiveWindow {
    return new ReceiveWindow(this, REQUEST_WINDOW_BYTES, REQUEST_WINDOW_BYTES);
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

/**
 * The window of one exchange's incoming half. Its size is, at any moment, the sum of what the peer may still send,
 * what is here and was not passed on, and what was passed on and not granted again. The last is less than half of
 * the size: a peer whose bytes were all passed on may always send.
 */
export class ReceiveWindow {
  readonly #pool: WindowPool;
  readonly #floor: number;
  #size: number;
  /** What the peer may still send. */
  #credit: number;
  /** Passed on and not yet granted again. */
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

  get credit(): number {
    return this.#credit;
  }

  /** Bytes that are here and were not passed on. */
  get unconsumed(): number {
    return this.#size - this.#credit - this.#owed;
  }

  /** Bytes arrived. False: more than was granted. */
  receive(bytes: number): boolean {
    this.#credit -= bytes;
    return this.#credit >= 0;
  }

  /**
   * Bytes were passed on. Returns the credit to grant now, 0 while it is not worth a frame.
   * @throws RangeError for more than there were: the peer would be granted more than may be kept.
   */
  consume(bytes: number): number {
    if (bytes > this.unconsumed) {
      throw new RangeError(`Cannot consume ${bytes} bytes of a body: ${this.unconsumed} are here`);
    }
    this.#owed += bytes;
    this.#consumedOfWindow += bytes;
    if (this.#owed < this.#size >> 1) return 0;
    if (this.#consumedOfWindow >= this.#size) this.#resize();
    const grant = this.#owed;
    this.#owed = 0;
    this.#credit += grant;
    return grant;
  }

  /** Nothing more comes: what it holds of the pool is free, but for the bytes that are still here. */
  close(): void {
    this.#by(Math.max(this.unconsumed, this.#floor) - this.#size);
  }

  /** The exchange is over. */
  release(): void {
    this.#by(this.#floor - this.#size);
  }

  /** A window shrinks by what is not granted again: half of it at most, which is owed at this moment. */
  #resize(): void {
    this.#consumedOfWindow = 0;
    const by = this.#pool.adjust(this.#size, this.#floor);
    this.#by(by);
    this.#owed += by;
  }

  #by(bytes: number): void {
    this.#size += bytes;
    this.#pool.resize(bytes);
  }
}
