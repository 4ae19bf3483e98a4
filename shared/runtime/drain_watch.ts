/**
 * Bytes that may wait in a socket before it is full. The kernel takes megabytes by itself; all that waits here
 * delays whatever is sent after it, by 25 ms on a link of 10 MB/s.
 */
const FULL_BYTES = 256 * 1024;

/** Room enough to say so. */
const DRAINED_BYTES = FULL_BYTES / 4;

/** Turns of the event loop in which to look before timers take over: half a millisecond on Deno, less on Bun. */
const EAGER_LOOKS = 100;

/** The shortest timer there is. */
const LOOK_INTERVAL_MS = 1;

/** Tells when a WebSocket without a drain event, so any but Bun's server side, has room again. */
export class DrainWatch {
  #watching = false;

  constructor(
    private readonly socket: { readonly bufferedAmount: number },
    private readonly drained: () => void,
  ) {}

  /** What the last `send` came to. */
  sent(): "sent" | "full" {
    if (this.socket.bufferedAmount < FULL_BYTES) return "sent";
    if (!this.#watching) this.#lookAgain(1);
    return "full";
  }

  stop(): void {
    this.#watching = false;
  }

  #lookAgain(time: number): void {
    this.#watching = true;
    if (time <= EAGER_LOOKS) setImmediate(() => this.#look(time));
    else setTimeout(() => this.#look(time), LOOK_INTERVAL_MS);
  }

  #look(time: number): void {
    if (!this.#watching) return;
    if (this.socket.bufferedAmount > DRAINED_BYTES) return this.#lookAgain(time + 1);
    this.#watching = false;
    this.drained();
  }
}
