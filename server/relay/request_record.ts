import type { RelayFailure } from "../../shared/failures.ts";
import { fieldValue } from "../../shared/headers.ts";
import type { LinkResponseHead } from "../../shared/link/events.ts";
import { log, type RequestLine, requestLog } from "../../shared/log.ts";
import { pathOf } from "../../shared/path_of.ts";
import type { RequestContext } from "../../shared/runtime/ports.ts";
import type { FailedRequest } from "../failure_response.ts";
import type { WorkerSnapshot } from "../routing/types.ts";

/** What became of one request: for its log line and for the headers that tell the client. */
export class RequestRecord {
  readonly requestId = crypto.randomUUID();
  model: string | undefined;
  /** Name of the API key. */
  client: string | undefined;
  attempts = 0;
  bytesIn = 0;
  bytesOut = 0;
  failure: string | undefined;
  readonly #method: string;
  readonly #path: string;
  readonly #arrivedAtMs: number;
  #worker: WorkerSnapshot | undefined;
  #waitedMs = 0;
  #status = 0;
  #firstByteMs: number | undefined;

  constructor(request: Request, context: RequestContext, arrivedAtMs: number) {
    this.#method = request.method;
    this.#path = pathOf(context.target);
    this.#arrivedAtMs = arrivedAtMs;
  }

  /** Of the worker that has it now. */
  get workerId(): string {
    return this.#worker?.id ?? "";
  }

  placed(worker: WorkerSnapshot, waitedMs: number): void {
    this.#worker = worker;
    this.#waitedMs += waitedMs;
  }

  answered(status: number, nowMs: number): void {
    this.#status = status;
    this.#firstByteMs = nowMs - this.#arrivedAtMs;
  }

  /** The cause goes to the log, the client gets the code's sentence. */
  failed(failure: RelayFailure): void {
    this.#status = failure.status;
    this.failure = failure.code;
    if (failure.code === "internal_error") {
      log.error("A request failed by a fault of the relay", {
        request_id: this.requestId,
        cause: failure.cause,
      });
    }
  }

  failedRequest(): FailedRequest {
    return { method: this.#method, path: this.#path, requestId: this.requestId };
  }

  /** What the relay adds to an answer. */
  responseHeaders(head: LinkResponseHead): Record<string, string> {
    const eventStream = fieldValue(head.headers, "content-type")?.startsWith("text/event-stream");
    return {
      "x-signalbox-request-id": this.requestId,
      "x-signalbox-provider": headerText(this.#worker!.provider),
      "x-signalbox-worker": headerText(this.#worker!.name),
      "x-signalbox-attempts": String(this.attempts),
      ...(this.model !== undefined && { "x-signalbox-model": headerText(this.model) }),
      // nginx in front would collect events into pages.
      ...(eventStream && { "x-accel-buffering": "no" }),
    };
  }

  /** The log line, when such lines are wanted. */
  write(nowMs: number): void {
    requestLog()?.(this.#line(nowMs));
  }

  #line(nowMs: number): RequestLine {
    return {
      method: this.#method,
      path: this.#path,
      status: this.#status,
      model: this.model,
      provider: this.#worker?.provider,
      worker: this.#worker?.name,
      client: this.client,
      bytesIn: this.bytesIn,
      bytesOut: this.bytesOut,
      waitedMs: this.#waitedMs,
      firstByteMs: this.#firstByteMs,
      totalMs: nowMs - this.#arrivedAtMs,
      attempts: this.attempts,
      failure: this.failure,
      requestId: this.requestId,
    };
  }
}

/** Workers' names and models that are registered are shorter; a `*` takes any that a client can think of. */
const NAME_MAX_CHARS = 256;

/** A name as a header can carry it: what is not visible ASCII is escaped as in a URL. */
function headerText(name: string): string {
  const short = name.slice(0, NAME_MAX_CHARS);
  return /^[\x20-\x7e]*$/.test(short)
    ? short
    : short.toWellFormed().replace(/[^\x20-\x7e]+/g, encodeURIComponent);
}
