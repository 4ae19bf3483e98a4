import { dialFailure } from "../../shared/http1/failure.ts";
import type {
  ClientExchange,
  Http1Failure,
  Http1ResponseHead,
  RequestBody,
} from "../../shared/http1/types.ts";
import { joined } from "../../shared/joined.ts";
import type { LinkRequestHead } from "../../shared/link/events.ts";
import type { ExchangeHandlers } from "../../shared/link/link.ts";
import { http1Framing, RESET_OF_HTTP1 } from "../../shared/link/over_http1.ts";
import { mayResend } from "../../shared/resend.ts";
import type { CarriedExchange } from "../relay/carrier.ts";
import { AddressTry, type TriedRequest } from "./address_try.ts";
import type { ProviderCarrier } from "./provider_carrier.ts";

/** What may wait here for the client of the relay: the first credit that a link gives. */
const WINDOW_BYTES = 256 * 1024;

/** What may wait here for a connection; one piece more is taken. */
const UNSENT_MAX_BYTES = 64 * 1024;

/** A provider's work may cost money: what it may have seen is sent again only where that changes nothing. */
const NO_PATHS: ReadonlySet<string> = new Set();

/** One request on its way to a provider, and its answer: to the relay what an exchange of a link is. */
export class ProviderExchange implements CarriedExchange, TriedRequest {
  readonly #carrier: ProviderCarrier;
  readonly #head: LinkRequestHead;
  readonly #handlers: ExchangeHandlers;
  readonly #framing: RequestBody;
  #request: ClientExchange | undefined;
  /** What was written before there was a connection: kept as long as another address may have to be tried. */
  #unsent: Uint8Array[] = [];
  #unsentBytes = 0;
  #sentAll = false;
  #begun = false;
  #started = false;
  /** `writable` is due. */
  #blocked = false;
  #unconsumed = 0;
  #paused = false;
  /** `settled` is due. */
  #touched = false;
  #over = false;
  #faulty = false;

  constructor(carrier: ProviderCarrier, head: LinkRequestHead, handlers: ExchangeHandlers) {
    this.#carrier = carrier;
    this.#head = head;
    this.#handlers = handlers;
    this.#framing = http1Framing(head);
  }

  // --- from the relay --------------------------------------------------------------------------------------

  write(bytes: Uint8Array): boolean {
    if (this.#over || bytes.length === 0) return true;
    if (this.#started) {
      this.#blocked = !this.#request!.write(bytes);
    } else {
      this.#unsent.push(bytes);
      this.#unsentBytes += bytes.length;
      if (this.#request) this.#request.write(bytes);
      // Before `bytes` are the caller's again: a whole body needs no copy.
      else if (this.#isWhole) this.flush();
      if (this.#unsent.length > 0) this.#unsent.push(new Uint8Array(this.#unsent.pop()!));
      this.#blocked = this.#unsentBytes >= UNSENT_MAX_BYTES && !this.#isWhole;
    }
    return !this.#blocked;
  }

  /** Not before: what the caller writes at once leaves together with the head. */
  flush(): void {
    if (this.#over || this.#begun) return;
    this.#begun = true;
    const { addresses, done } = this.#carrier.resolve();
    if (addresses) return this.#connect(addresses);
    done.then(
      (found) => this.#connect(found),
      (error) => this.#fail(dialFailure(this.#carrier.target, error)),
    );
  }

  end(): void {
    this.#sentAll = true;
    if (!this.#over) this.#request?.end();
  }

  reset(): void {
    if (this.#over) return;
    this.#stop();
  }

  consumed(bytes: number): void {
    this.#unconsumed -= bytes;
    if (this.#over || !this.#paused || this.#unconsumed > WINDOW_BYTES / 2) return;
    this.#paused = false;
    this.#request!.resume();
  }

  // --- connecting ------------------------------------------------------------------------------------------

  /** Nothing is written before there is a connection, so the next address may be tried when there is none. */
  #connect(addresses: readonly string[], at = 0): void {
    if (this.#over) return;
    const { client, target } = this.#carrier;
    const { method, headers } = this.#head;
    const whole = this.#isWhole;
    const request = client.request(
      this.#carrier.originAt(addresses[at]!),
      { method, target: target.target, headers: headers.filter(isNotFraming) },
      this.#framing,
      new AddressTry(this, addresses, at),
      {
        idempotent: mayResend({ method, path: "" }, NO_PATHS),
        firstBytes: whole ? joined(this.#unsent) : undefined,
      },
    );
    this.#request = request;
    if (whole && at + 1 === addresses.length) this.#unsent = [];
    if (whole) return;
    for (const piece of this.#unsent) request.write(piece);
    if (this.#sentAll) request.end();
  }

  /** All of a body whose length was announced is here. */
  get #isWhole(): boolean {
    return typeof this.#framing === "object" && this.#framing.length === this.#unsentBytes;
  }

  // --- from the provider, by way of an `AddressTry` --------------------------------------------------------

  started(): void {
    this.#started = true;
    this.#unsent = [];
    this.#tell(this.#handlers.started);
  }

  answered({ status, headers }: Http1ResponseHead): void {
    this.#touched = true;
    // All of the fields: what stops at a hop stops where the client's response is made.
    this.#tell(this.#handlers.response, { status, headers });
  }

  received(bytes: Uint8Array): void {
    this.#unconsumed += bytes.length;
    if (this.#unconsumed >= WINDOW_BYTES && !this.#paused) {
      this.#paused = true;
      this.#request!.pause();
    }
    this.#touched = true;
    this.#tell(this.#handlers.data, bytes, false);
  }

  settled(): void {
    if (!this.#touched) return;
    this.#touched = false;
    this.#tell(this.#handlers.settled);
  }

  answerOver(): void {
    this.#over = true;
    this.#touched = true;
    this.#tell(this.#handlers.end);
  }

  drained(): void {
    if (!this.#blocked) return;
    this.#blocked = false;
    this.#tell(this.#handlers.writable);
  }

  tryFailed(failure: Http1Failure, addresses: readonly string[], at: number): void {
    const untouched = failure.kind === "unreachable" && !this.#started;
    if (untouched && at + 1 < addresses.length) this.#connect(addresses, at + 1);
    else this.#fail(failure);
  }

  // ---------------------------------------------------------------------------------------------------------

  #fail(failure: Http1Failure): void {
    if (this.#over) return;
    this.#stop();
    this.#carrier.failed(failure);
    const text = failure.during ? `${failure.kind} (${failure.during})` : failure.kind;
    this.#tell(this.#handlers.reset, RESET_OF_HTTP1[failure.kind], text);
  }

  #stop(): void {
    this.#over = true;
    this.#touched = false;
    this.#unsent = [];
    this.#request?.cancel();
  }

  /** Calls a handler of the relay's, if it has this one. What it throws must not reach the connection. */
  #tell<Args extends unknown[]>(handler: ((...args: Args) => void) | undefined, ...args: Args): void {
    try {
      handler?.apply(this.#handlers, args);
    } catch (error) {
      this.#carrier.fault(error);
      if (this.#faulty) return;
      this.#faulty = true;
      this.#stop();
      this.#tell(this.#handlers.reset, "cancelled", "a fault of the relay");
    }
  }
}

/** The client writes the length. Nothing else of what belongs to a hop gets here. */
function isNotFraming([name]: [name: string, value: string]): boolean {
  return name !== "content-length";
}
