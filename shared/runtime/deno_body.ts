// https://docs.deno.com/api/web/~/ReadableStream
import type { BodySink, BodySource } from "./ports.ts";

/** What may wait here of a body that is read as a stream. As much as one frame of the link carries. */
const QUEUE_BYTES = 64 * 1024;

const BROKEN_OFF = new Error("the body broke off");

/** Who writes each of the streams below, for the listener, which lets them write to the connection. */
const SOURCES = new WeakMap<ReadableStream, BodySource>();

/** What a stream is for whoever reads it, which in a running relay is nobody. */
class DenoBody implements BodySink, UnderlyingDefaultSource<Uint8Array> {
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #over = false;
  #full = false;
  readonly #source: BodySource;

  constructor(source: BodySource) {
    this.#source = source;
  }

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
    // A copy (`slice` of a Buffer is none): the caller's bytes are its own again when this returns.
    this.#controller!.enqueue(new Uint8Array(bytes));
    this.#full = this.#controller!.desiredSize! <= -QUEUE_BYTES;
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
  // Nothing is written before somebody reads: the listener does not, and starts the source itself.
  const size = (chunk?: Uint8Array) => chunk!.byteLength;
  const stream = new ReadableStream(new DenoBody(source), { highWaterMark: 0, size });
  SOURCES.set(stream, source);
  return stream;
}

/** Who writes a stream that `streamingBody` made. */
export function sourceOf(stream: ReadableStream<Uint8Array>): BodySource | undefined {
  return SOURCES.get(stream);
}
