/**
 * Bytes a socket may hold back before it is full. A kernel takes megabytes by itself; what is held here only has
 * to last until the next look, and a gigabyte a second is a megabyte in a millisecond, which the kernel has.
 */
const FULL_BYTES = 256 * 1024;

/** Room enough to say so. */
const DRAINED_BYTES = FULL_BYTES / 4;

/** The shortest timer there is. It runs while the socket is full and at no other time. */
const LOOK_INTERVAL_MS = 1;

/** Tells when a WebSocket without a drain event, so every one but Bun's server side, has room again. */
export class DrainWatch {
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly socket: { readonly bufferedAmount: number },
    private readonly drained: () => void,
  ) {}

  /** What the last `send` came to. */
  sent(): "sent" | "full" {
    if (this.socket.bufferedAmount < FULL_BYTES) return "sent";
    this.#timer ??= setInterval(() => this.#look(), LOOK_INTERVAL_MS);
    return "full";
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    if (this.socket.bufferedAmount > DRAINED_BYTES) return;
    this.stop();
    this.drained();
  }
}
