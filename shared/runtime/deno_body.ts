// https://docs.deno.com/api/web/~/ReadableStream
import type { BodySink, BodySource } from "./ports.ts";

/** What may wait here, beside the megabytes that the kernel takes. As much as one frame of the link carries. */
const QUEUE_BYTES = 64 * 1024;

const BROKEN_OFF = new Error("the body broke off");

/** A default stream, at half the CPU of a bytes stream (141 µs against 274 µs for 100 events in 10 flushes). */
class DenoBody implements BodySink, UnderlyingDefaultSource<Uint8Array> {
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #over = false;
  #full = false;
  readonly #source: BodySource;

  constructor(source: BodySource) {
    this.#source = source;
  }

  /** The first call comes a microtask after the stream was made, each later one when there is room. */
  pull(controller: ReadableStreamDefaultController<Uint8Array>): void {
    if (!this.#controller) {
      this.#controller = controller;
      this.#source.start(this);
    } else if (this.#full && !this.#over) {
      this.#full = false;
      this.#source.drain();
    }
  }

  cancel(): void {
    if (this.#over) return;
    this.#over = true;
    this.#source.cancel();
  }

  write(bytes: Uint8Array): boolean {
    if (this.#over || bytes.length === 0) return true;
    this.#controller!.enqueue(bytes);
    this.#full = this.#controller!.desiredSize! <= 0;
    return !this.#full;
  }

  /** Each chunk is on its way by itself. */
  flush(): void {}

  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#controller!.close();
  }

  abort(): void {
    if (this.#over) return;
    this.#over = true;
    this.#controller!.error(BROKEN_OFF);
  }
}

export function streamingBody(source: BodySource): ReadableStream<Uint8Array> {
  return new ReadableStream(new DenoBody(source), {
    highWaterMark: QUEUE_BYTES,
    size: (chunk) => chunk!.byteLength,
  });
}
