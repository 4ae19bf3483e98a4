// https://docs.deno.com/api/node/http/~/ServerResponse
import { Buffer } from "node:buffer";
import type { ServerResponse } from "node:http";
import { sourceOf } from "./deno_body.ts";
import type { BodySink, BodySource } from "./ports.ts";

/** What waits here for `flush` at most. As much as one frame of the link carries. */
const QUEUE_BYTES = 64 * 1024;

/** Writes a body to its connection, all that was written since the last flush at once: each write there is dear. */
class DenoSink implements BodySink {
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #full = false;
  #over = false;

  constructor(
    private readonly to: ServerResponse,
    private readonly source: BodySource,
  ) {
    to.on("drain", () => {
      this.#full = false;
      if (!this.#over) this.source.drain();
    });
    to.on("close", () => {
      if (this.#over) return;
      this.#over = true;
      this.source.cancel();
    });
  }

  write(bytes: Uint8Array): boolean {
    if (this.#over || bytes.length === 0) return true;
    // A copy (`slice` of a Buffer is none): the caller's bytes are its own again when this returns.
    this.#queue.push(new Uint8Array(bytes));
    this.#queuedBytes += bytes.length;
    if (this.#queuedBytes >= QUEUE_BYTES) this.flush();
    return !this.#full;
  }

  flush(): void {
    if (this.#over || this.#queuedBytes === 0) return;
    this.#full = !this.to.write(this.#take());
  }

  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.to.end(this.#queuedBytes > 0 ? this.#take() : undefined);
  }

  abort(): void {
    if (this.#over) return;
    this.#over = true;
    this.to.destroy();
  }

  #take(): Uint8Array {
    const bytes = this.#queue.length === 1 ? this.#queue[0]! : Buffer.concat(this.#queue, this.#queuedBytes);
    this.#queue = [];
    this.#queuedBytes = 0;
    return bytes;
  }
}

/** Send a response. A body that is no longer wanted is told so. */
export async function respond(response: Response, to: ServerResponse): Promise<void> {
  const { body, status } = response;
  const source = body && sourceOf(body);
  const isHead = to.req.method === "HEAD";
  if (source && (isHead || to.destroyed)) source.cancel();
  if (to.destroyed) return;
  if (source && !isHead) return stream(response, to, source);
  const whole = body && !source ? new Uint8Array(await response.arrayBuffer()) : undefined;
  const headers = fieldsOf(response);
  // 204 and 304 have none; of a HEAD without one nothing is known (RFC 9110 8.6).
  const hasLength = response.headers.has("content-length") || status === 204 || status === 304;
  if (!hasLength && (whole || !isHead)) headers.push("content-length", String(whole?.length ?? 0));
  to.writeHead(status, headers).end(isHead ? undefined : whole);
}

function stream(response: Response, to: ServerResponse, source: BodySource): void {
  try {
    to.writeHead(response.status, fieldsOf(response));
  } catch (error) {
    // Fields that no head may have, which a Response takes.
    source.cancel();
    throw error;
  }
  source.start(new DenoSink(to, source));
  // Its first byte may be a while.
  if (!to.headersSent || to.writableLength === 0) to.flushHeaders();
}

/** Names and values in turn: only so does `writeHead` keep fields of one name apart. */
function fieldsOf({ headers }: Response): string[] {
  const fields: string[] = [];
  headers.forEach((value, name) => void fields.push(name, value));
  return fields;
}
