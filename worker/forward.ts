import { pathMatches } from "../shared/endpoint_prefixes.ts";
import { responsePairs } from "../shared/headers.ts";
import type { Http1Client } from "../shared/http1/client.ts";
import type { ClientExchange, Http1Failure, Http1ResponseHead, Origin } from "../shared/http1/types.ts";
import type { LinkRequestHead } from "../shared/link/events.ts";
import type { ExchangeHandlers, LinkExchange } from "../shared/link/link.ts";
import { announcedLength, http1Framing, http1Headers, RESET_OF_HTTP1 } from "../shared/link/over_http1.ts";
import { pathOf } from "../shared/path_of.ts";
import { mayResend } from "../shared/resend.ts";
import type { Capacity } from "./capacity.ts";
import type { Meter, RequestMeter } from "./status/meter.ts";

/** Where a worker's requests go, and under which conditions. */
export interface Backend {
  origin: Origin;
  /** Put before every path, without a trailing slash: "" or "/base". */
  basePath: string;
  client: Http1Client;
  /** The only paths that are passed on; empty = all. Checked here too: an old relay checks nothing. */
  prefixes: readonly string[];
  capacity: Capacity;
  /** Only where somebody looks at what it counts. */
  meter?: Meter;
}

/** Take one request off a link and carry it to the backend and back. Returns the exchange's handlers. */
export function forward(backend: Backend, exchange: LinkExchange, head: LinkRequestHead): ExchangeHandlers {
  const path = pathOf(head.target);
  if (!pathMatches(path, backend.prefixes)) return answerNotServed(exchange, path);
  if (!backend.capacity.take()) {
    exchange.reset("refused", "the worker has no free slot");
    return IGNORE;
  }
  const forwarded = new Forwarded(backend, exchange, head);
  if (!head.hasBody) forwarded.begin();
  return forwarded;
}

const IGNORE: ExchangeHandlers = { data() {}, end() {}, reset() {} };

function answerNotServed(exchange: LinkExchange, path: string): ExchangeHandlers {
  const error = {
    message: `This worker does not serve ${path}`,
    type: "invalid_request_error",
    code: "no_eligible_worker",
    param: null,
  };
  const body = new TextEncoder().encode(JSON.stringify({ error }));
  exchange.respond({ status: 404, headers: [["content-type", "application/json"]] });
  exchange.write(body);
  exchange.end();
  return { data: (bytes) => exchange.consumed(bytes.length), end() {}, reset() {} };
}

/** One exchange on its way to the backend: link events in, HTTP/1.1 out, and back. */
class Forwarded implements ExchangeHandlers {
  #backendExchange: ClientExchange | undefined;
  /** Body bytes given to the backend connection that it has not taken yet. */
  #unconsumed = 0;
  #over = false;
  /** The request's last byte was given to the backend connection with its head. */
  #sentWhole = false;
  readonly #meter: RequestMeter | undefined;

  constructor(
    readonly backend: Backend,
    readonly exchange: LinkExchange,
    readonly head: LinkRequestHead,
  ) {
    this.#meter = backend.meter?.open();
  }

  begin(firstBytes?: Uint8Array): void {
    const { backend, head } = this;
    const { method } = head;
    const path = pathOf(head.target);
    this.#backendExchange = backend.client.request(
      backend.origin,
      { method, target: backend.basePath + head.target, headers: http1Headers(head.headers) },
      http1Framing(head),
      {
        started: () => this.exchange.started(),
        head: (response) => this.#respond(response),
        data: (bytes) => {
          this.#meter?.data(bytes);
          if (!this.exchange.write(bytes)) this.#backendExchange?.pause();
        },
        end: () => {
          this.#finish();
          this.exchange.end();
        },
        drain: () => this.#drain(),
        failed: (failure) => this.#fail(failure),
      },
      // The body is not looked into here, so a path that may store is not sent twice.
      {
        idempotent: mayResend({ method, path, stores: path === "/v1/responses" }),
        ...(firstBytes && { firstBytes }),
      },
    );
  }

  // --- from the link ---------------------------------------------------------------------------------------

  data(bytes: Uint8Array): void {
    if (this.#over) return this.exchange.consumed(bytes.length);
    if (!this.#backendExchange) {
      this.#sentWhole = bytes.length === announcedLength(this.head);
      this.begin(this.#sentWhole ? bytes : undefined);
      if (this.#sentWhole) return this.exchange.consumed(bytes.length);
    }
    this.#unconsumed += bytes.length;
    if (this.#backendExchange!.write(bytes)) this.#drain();
  }

  end(): void {
    if (this.#over) return;
    if (!this.#backendExchange) this.begin();
    if (this.head.hasBody && !this.#sentWhole) this.#backendExchange!.end();
  }

  /** The backend should see that a request has begun though its body is slow to come. */
  settled(): void {
    if (!this.#over && !this.#backendExchange) this.begin();
  }

  writable(): void {
    this.#backendExchange?.resume();
  }

  /** The client left, or the link was lost: the backend stops when its connection closes. */
  reset(): void {
    this.#backendExchange?.cancel();
    this.#finish();
  }

  // --- from the backend ------------------------------------------------------------------------------------

  #respond(response: Http1ResponseHead): void {
    this.#meter?.head(response.headers);
    this.exchange.respond({ status: response.status, headers: responsePairs(response.headers) });
  }

  #drain(): void {
    if (this.#unconsumed > 0) this.exchange.consumed(this.#unconsumed);
    this.#unconsumed = 0;
  }

  #fail(failure: Http1Failure): void {
    if (this.#over) return;
    this.#finish();
    this.exchange.reset(RESET_OF_HTTP1[failure.kind], failure.message);
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.backend.capacity.release();
    this.#meter?.close();
  }
}
