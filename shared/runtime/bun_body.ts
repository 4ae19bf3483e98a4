// https://bun.com/docs/api/streams#direct-readablestream
import type { BodySink, BodySource } from "./ports.ts";

/** Made once: its stack would say nothing, and making one costs more than the write it ends. */
const BROKEN_OFF = new Error("the body broke off");

/**
 * A direct stream: writes go to the socket without a queue in between, at two thirds of the CPU of a default
 * stream (44 µs against 66 µs for a response of 100 events in 10 flushes; bytes streams 89 µs).
 */
class BunBody implements BodySink {
  readonly type = "direct";
  #controller: ReadableStreamDirectController | undefined;
  #over = false;
  #full = false;
  readonly #source: BodySource;

  constructor(source: BodySource) {
    this.#source = source;
  }

  /** Called once by the server; returning without a promise leaves the stream open until `end` or `close`. */
  pull(controller: ReadableStreamDirectController): void {
    if (this.#controller) return;
    this.#controller = controller;
    this.#source.start(this);
  }

  cancel(): void {
    if (this.#over) return;
    this.#over = true;
    this.#source.cancel();
  }

  write(bytes: Uint8Array): boolean {
    if (this.#over) return true;
    const taken = this.#controller!.write(bytes as Uint8Array<ArrayBuffer>);
    if (typeof taken === "number") return !this.#full;
    // One promise per stall, whatever is written meanwhile.
    if (!this.#full) taken.then(this.#drained, this.#drained);
    this.#full = true;
    return false;
  }

  flush(): void {
    if (!this.#over) this.#controller!.flush();
  }

  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#controller!.end();
  }

  abort(): void {
    if (this.#over) return;
    this.#over = true;
    this.#controller!.close(BROKEN_OFF);
  }

  readonly #drained = (): void => {
    this.#full = false;
    if (!this.#over) this.#source.drain();
  };
}

export function streamingBody(source: BodySource): ReadableStream<Uint8Array> {
  // The compiler knows the standard's kinds of source only.
  return new ReadableStream(new BunBody(source) as unknown as UnderlyingDefaultSource<Uint8Array>);
}
