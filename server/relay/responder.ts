import { RelayFailure } from "../../shared/failures.ts";
import { addResponseHeaders, fieldValue } from "../../shared/headers.ts";
import { joined } from "../../shared/joined.ts";
import type { LinkResponseHead } from "../../shared/link/events.ts";
import { AnswerBody, type BodyOutcome } from "./answer_body.ts";
import type { AnswerWay } from "./answer_way.ts";
import type { Answer } from "./attempt.ts";
import type { RelayParts } from "./parts.ts";
import type { RequestRecord } from "./request_record.ts";

/** Statuses whose responses have no body (RFC 9110 6.4.1, 15.3.6). */
const BODILESS = new Set([204, 205, 304]);

/** Bun puts a head and its body together in a buffer of 16 KiB; 1 KiB is for the head. */
const ONE_WRITE_BYTES = 15 * 1024;

/** The request that is answered. */
export interface AnsweredClient {
  readonly method: string;
  readonly record: RequestRecord;
  /** There is an answer. `isStreamed`: its body is still to come. */
  begun(isStreamed: boolean): void;
  /** Called once, when nothing of the answer is to come any more: maybe before `respond` returns. */
  bodyOver(outcome: BodyOutcome): void;
}

/** Makes the response to one request out of what a worker answered. */
export class Responder {
  /** The body, when it is streamed. */
  body: AnswerBody | undefined;
  readonly #parts: RelayParts;
  readonly #client: AnsweredClient;

  constructor(parts: RelayParts, client: AnsweredClient) {
    this.#parts = parts;
    this.#client = client;
  }

  /** @throws RelayFailure `worker_invalid` when the answer is none of HTTP */
  respond(answer: Answer, way: AnswerWay): Response {
    const { head } = answer;
    if (!(head.status >= 200 && head.status <= 599)) throw new RelayFailure("worker_invalid");
    const { record } = this.#client;
    record.answered(head.status, this.#parts.clock);
    const response = this.#response(answer, way, record.sharedHeaders(head));
    this.#client.begun(this.body !== undefined);
    return response;
  }

  #response(answer: Answer, way: AnswerWay, shared: Headers): Response {
    if (this.#client.method === "HEAD" || BODILESS.has(answer.head.status))
      return this.#withoutBody(answer, shared);
    if (answer.whole && !way.change && leavesInOneWrite(answer)) return this.#whole(answer, way, shared);
    return this.#streamed(answer, way, shared);
  }

  /** The length that a GET would have is the one thing that a HEAD may say of its body. */
  #withoutBody({ head }: Answer, shared: Headers): Response {
    const response = new Response(null, { status: head.status, headers: shared });
    this.#addHeaders(response.headers, head);
    const length = fieldValue(head.headers, "content-length");
    if (length !== undefined && head.status !== 204) response.headers.set("content-length", length);
    this.#client.bodyOver({ kind: "complete" });
    return response;
  }

  #whole({ head, early }: Answer, { lessons }: AnswerWay, shared: Headers): Response {
    const body = joined(early);
    // Those that are handed in are copied.
    const response = new Response(body as Uint8Array<ArrayBuffer>, { status: head.status, headers: shared });
    this.#addHeaders(response.headers, head);
    this.#client.record.bytesOut = body.length;
    lessons.data(body);
    lessons.end();
    this.#client.bodyOver({ kind: "complete" });
    return response;
  }

  #streamed(answer: Answer, way: AnswerWay, shared: Headers): Response {
    const { attempt, lessons, change } = way;
    const headers = this.#addHeaders(new Headers(shared), answer.head);
    const { clock, sweeper, settings, runtime } = this.#parts;
    const body = new AnswerBody(
      {
        exchange: attempt.exchange,
        lessons,
        change,
        clock,
        sweeper,
        responseIdleMs: settings.responseIdleTimeoutMs,
        slowReaderMs: settings.slowReaderTimeoutMs,
        over: (outcome) => {
          this.#client.record.bytesOut = body.bytes;
          this.#client.bodyOver(outcome);
        },
      },
      answer.early,
    );
    this.body = body;
    attempt.passOn(body);
    if (answer.whole) body.end();
    return new Response(runtime.streamingBody(body), { status: answer.head.status, headers });
  }

  #addHeaders(headers: Headers, head: LinkResponseHead): Headers {
    addResponseHeaders(headers, head.headers);
    this.#client.record.addOwnHeaders(headers);
    return headers;
  }
}

/**
 * Whether a whole body goes out whole, with its length. A longer one costs Bun 27 writes, one for each piece of
 * the head (counted with strace, Bun 1.4.5), against 4 when it is streamed: that is paid where the backend gave a
 * length, which a streamed body would lose. Where the backend gave no type, Bun would make one up for a whole body.
 */
function leavesInOneWrite({ head, early }: Answer): boolean {
  const isEmpty = early.every(({ length }) => length === 0);
  if (!isEmpty && fieldValue(head.headers, "content-type") === undefined) return false;
  if (fieldValue(head.headers, "content-length") !== undefined) return true;
  return early.reduce((sum, chunk) => sum + chunk.length, 0) <= ONE_WRITE_BYTES;
}
