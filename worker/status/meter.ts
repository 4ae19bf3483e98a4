import type { HeaderPairs } from "../../shared/http1/types.ts";

/** Counts requests and what their answers stream. Nobody makes one but for a status line: without it nothing is counted. */
export class Meter {
  /** Requests that the backend has. */
  running = 0;
  /** Requests that are over, however they ended. */
  finished = 0;
  /** Pieces of streamed answers, about one for each token. */
  tokens = 0;

  open(): RequestMeter {
    this.running++;
    return new RequestMeter(this);
  }
}

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** One request's part. */
export class RequestMeter {
  readonly #meter: Meter;
  #count: ((bytes: Uint8Array) => number) | undefined;
  #atLineStart = false;

  constructor(meter: Meter) {
    this.#meter = meter;
  }

  head(headers: HeaderPairs): void {
    const type = headers.find(([name]) => name.toLowerCase() === "content-type")?.[1] ?? "";
    // Events end with an empty line; Ollama's own API and some others write a line of JSON for each piece.
    if (/^text\/event-stream/i.test(type)) this.#count = (bytes) => this.#emptyLines(bytes);
    else if (/^application\/(x-)?(ndjson|jsonl)/i.test(type)) this.#count = lineFeeds;
  }

  data(bytes: Uint8Array): void {
    if (this.#count) this.#meter.tokens += this.#count(bytes);
  }

  close(): void {
    this.#meter.running--;
    this.#meter.finished++;
  }

  #emptyLines(bytes: Uint8Array): number {
    let count = 0;
    for (const byte of bytes) {
      if (byte === CARRIAGE_RETURN) continue;
      const ends = byte === LINE_FEED;
      if (ends && this.#atLineStart) count++;
      this.#atLineStart = ends;
    }
    return count;
  }
}

function lineFeeds(bytes: Uint8Array): number {
  let count = 0;
  for (const byte of bytes) if (byte === LINE_FEED) count++;
  return count;
}
