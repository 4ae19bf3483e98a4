import type { Clock } from "../../shared/clock.ts";
import type { RelayFailure } from "../../shared/failures.ts";
import { BUFFERING_HEADER, fieldValue } from "../../shared/headers.ts";
import type { LinkResponseHead } from "../../shared/link/events.ts";
import { log, type RequestLine, requestLog } from "../../shared/log.ts";
import { pathOf } from "../../shared/path_of.ts";
import type { FieldReader } from "../../shared/received_fields.ts";
import type { RequestContext } from "../../shared/runtime/ports.ts";
import type { FailedRequest } from "../failure_response.ts";
import type { Intent } from "../intent.ts";
import type { OverrideTarget } from "../routing/override_types.ts";
import type { Candidate, Decision, WorkerSnapshot } from "../routing/types.ts";
import { routeHeader } from "./route_header.ts";
import { sharedHeaders } from "./shared_headers.ts";

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
  readonly #headers: FieldReader;
  readonly #arrivedAtMs: number;
  #worker: WorkerSnapshot | undefined;
  /** The endpoint of its own that has it; no path or query of it, which may hold what is nobody's business. */
  #override: { name: string; provider: string; host: string } | undefined;
  /** What the relay says of the request's routing, answered or refused. */
  #notes: Record<string, string> | undefined;
  #waitedMs = 0;
  #status = 0;
  #firstByteMs: number | undefined;

  constructor(method: string, context: RequestContext, arrivedAtMs: number) {
    this.#method = method;
    this.#path = pathOf(context.target);
    this.#headers = context.fields;
    this.#arrivedAtMs = arrivedAtMs;
  }

  /** What it asks for. */
  understood({ request, warnings }: Intent): void {
    this.model = request.model;
    if (warnings.length > 0)
      this.#note("x-signalbox-warning", headerText(warnings.join("; "), NOTES_MAX_CHARS));
  }

  /** A worker has it now. */
  placed(candidate: Candidate, waitedMs: number): void {
    this.answeredBy(candidate);
    this.#waitedMs += waitedMs;
  }

  answeredBy({ worker, model }: Candidate): void {
    this.#worker = worker;
    this.model = model;
  }

  /** It goes to an endpoint that it named itself. */
  sentTo({ endpoint, secure, host }: OverrideTarget): void {
    this.attempts = 1;
    this.#override = {
      name: endpoint.name,
      provider: endpoint.provider ?? endpoint.name,
      host: `${secure ? "https" : "http"}://${host}`,
    };
  }

  /** Its client may see how it was decided. */
  explain(decision: Decision): void {
    this.#note("x-signalbox-route", routeHeader(decision));
  }

  answered(status: number, clock: Pick<Clock, "nowMs">): void {
    this.#status = status;
    if (requestLog()) this.#firstByteMs = clock.nowMs() - this.#arrivedAtMs;
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
    return {
      method: this.#method,
      path: this.#path,
      headers: this.#headers,
      requestId: this.requestId,
      notes: { ...this.#whoHadIt({}), ...this.#notes },
    };
  }

  /** What the relay says in an answer, as to others of the same kind. Not to be changed. */
  sharedHeaders(head: LinkResponseHead): Headers {
    const isEvents = fieldValue(head.headers, "content-type")?.startsWith("text/event-stream") ?? false;
    const { attempts, model } = this;
    const kind = { provider: this.#provider, worker: this.#worker?.name, model, attempts, isEvents };
    return sharedHeaders(kind, () => this.#whoHadIt(isEvents ? { [BUFFERING_HEADER]: "no" } : {}));
  }

  /** What it says in this answer alone. */
  addOwnHeaders(headers: Headers): void {
    headers.set("x-signalbox-request-id", this.requestId);
    for (const name in this.#notes) headers.set(name, this.#notes[name]!);
  }

  /** Adds the provider or the worker that answered, or that failed last. */
  #whoHadIt(notes: Record<string, string>): Record<string, string> {
    const provider = this.#provider;
    if (provider === undefined) return notes;
    notes["x-signalbox-provider"] = headerText(provider);
    if (this.#worker) notes["x-signalbox-worker"] = headerText(this.#worker.name);
    notes["x-signalbox-attempts"] = String(this.attempts);
    if (this.model !== undefined) notes["x-signalbox-model"] = headerText(this.model);
    return notes;
  }

  get #provider(): string | undefined {
    return this.#override?.provider ?? this.#worker?.provider;
  }

  #note(name: string, value: string): void {
    this.#notes ??= {};
    this.#notes[name] = value;
  }

  /** The log line, when such lines are wanted. */
  write(clock: Pick<Clock, "nowMs">): void {
    requestLog()?.(this.#line(clock.nowMs()));
  }

  /** What came of it, for a count: a status, or why there is none of its own. */
  get result(): string {
    return this.failure ?? String(this.#status);
  }

  /** The endpoint of its own that it went to. */
  get overrideName(): string | undefined {
    return this.#override?.name;
  }

  #line(nowMs: number): RequestLine {
    return {
      method: this.#method,
      path: this.#override ? undefined : this.#path,
      override: this.#override?.name,
      host: this.#override?.host,
      status: this.#status,
      model: this.model,
      provider: this.#provider,
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
/** Warnings name what a client wrote. */
const NOTES_MAX_CHARS = 2_048;

/** A name as a header can carry it: what is not visible ASCII is escaped as in a URL. */
function headerText(name: string, maxChars = NAME_MAX_CHARS): string {
  const short = name.slice(0, maxChars);
  return /^[\x20-\x7e]*$/.test(short)
    ? short
    : short.toWellFormed().replace(/[^\x20-\x7e]+/g, encodeURIComponent);
}
