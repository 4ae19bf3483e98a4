import type { ExchangeHandlers, Http1Failure, Http1ResponseHead } from "../../shared/http1/types.ts";

/** What hears of the tries: one after another, and of one at a time. */
export interface TriedRequest {
  started(): void;
  answered(head: Http1ResponseHead): void;
  received(bytes: Uint8Array): void;
  settled(): void;
  answerOver(): void;
  drained(): void;
  /** `at`: of these, the address that was tried. */
  tryFailed(failure: Http1Failure, addresses: readonly string[], at: number): void;
}

/** A request at one of its provider's addresses. One object of a known shape: a closure for each event costs more. */
export class AddressTry implements ExchangeHandlers {
  readonly #request: TriedRequest;
  readonly #addresses: readonly string[];
  readonly #at: number;

  constructor(request: TriedRequest, addresses: readonly string[], at: number) {
    this.#request = request;
    this.#addresses = addresses;
    this.#at = at;
  }

  started(): void {
    this.#request.started();
  }

  head(head: Http1ResponseHead): void {
    this.#request.answered(head);
  }

  data(bytes: Uint8Array): void {
    this.#request.received(bytes);
  }

  settled(): void {
    this.#request.settled();
  }

  end(): void {
    this.#request.answerOver();
  }

  drain(): void {
    this.#request.drained();
  }

  failed(failure: Http1Failure): void {
    this.#request.tryFailed(failure, this.#addresses, this.#at);
  }
}
