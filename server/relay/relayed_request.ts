import { RelayFailure, toFailure } from "../../shared/failures.ts";
import type { RequestContext } from "../../shared/runtime/ports.ts";
import type { Watched } from "../../shared/sweeper.ts";
import { failureResponse } from "../failure_response.ts";
import { type Intent, readIntent, wantsPeek } from "../intent.ts";
import type { BodyOutcome } from "./answer_body.ts";
import { checkRequest } from "./check_request.ts";
import type { Delivery, DeliveryOptions } from "./delivery.ts";
import { outcomeCode } from "./outcome_code.ts";
import type { RelayParts } from "./parts.ts";
import { ProviderDelivery } from "./provider_delivery.ts";
import { RequestBody } from "./request_body.ts";
import { RequestRecord } from "./request_record.ts";
import { Responder } from "./responder.ts";
import { Tries } from "./tries.ts";

/** One client request, from its arrival to the last byte of its answer. */
export class RelayedRequest implements Watched {
  /** When the wait for the first byte of an answer, or for the client's next piece of the body, is over. */
  deadlineMs: number;
  readonly #parts: RelayParts;
  readonly #request: Request;
  readonly #context: RequestContext;
  readonly #arrivedAtMs: number;
  readonly #record: RequestRecord;
  readonly #responder: Responder;
  #body: RequestBody | undefined;
  #delivery: Delivery | undefined;
  /** It goes to an endpoint of its own. */
  #toProvider = false;
  #waitingForClient = false;
  /** The client left, or a limit was reached: whatever is waited for does not matter any longer. */
  #brokenOff: RelayFailure | undefined;
  /** Breaks off whatever the request waits for. */
  #interrupt: (failure: RelayFailure) => void = () => {};

  constructor(parts: RelayParts, request: Request, context: RequestContext) {
    this.#parts = parts;
    this.#request = request;
    this.#context = context;
    this.#arrivedAtMs = parts.clock.nowMs();
    this.deadlineMs = this.#arrivedAtMs + parts.settings.requestTimeoutMs;
    this.#record = new RequestRecord(request, context, this.#arrivedAtMs);
    this.#responder = new Responder(parts, {
      method: request.method,
      record: this.#record,
      begun: () => {
        this.deadlineMs = Number.POSITIVE_INFINITY;
      },
      over: (outcome) => this.#bodyOver(outcome),
    });
  }

  /** The response. Never rejects: a failure is a response too. */
  async answer(): Promise<Response> {
    this.#context.onGone(() => this.#fail(new RelayFailure("client_gone")));
    const watch = this.#parts.sweeper.watch(this);
    try {
      return await this.#relay();
    } catch (thrown) {
      return this.#refuse(toFailure(thrown));
    } finally {
      this.#parts.sweeper.release(watch);
    }
  }

  /** The deadline passed. */
  expired(): void {
    const late = this.#toProvider ? "provider_timeout" : "request_timeout";
    this.#fail(new RelayFailure(this.#waitingForClient ? "upload_timeout" : late));
  }

  async #relay(): Promise<Response> {
    const caller = checkRequest(this.#request, this.#context, this.#parts);
    this.#record.client = caller.name;
    this.#toProvider = caller.override !== undefined;
    this.#waiting(true);
    const body = await this.#interruptible(
      RequestBody.open(this.#request, this.#context.fields, this.#parts.settings),
    );
    this.#body = body;
    body.onWaiting = (isWaiting) => this.#waiting(isWaiting);
    this.#waiting(false);
    this.#delivery = await this.#deliveryOf({
      parts: this.#parts,
      method: this.#request.method,
      headers: this.#context.fields,
      context: this.#context,
      caller,
      body,
      record: this.#record,
      responder: this.#responder,
      uploadFailed: (failure) => this.#fail(failure),
    });
    return await this.#interruptible(this.#delivery.answer());
  }

  async #deliveryOf(options: DeliveryOptions): Promise<Delivery> {
    const { override } = options.caller;
    if (override) return new ProviderDelivery(options, override);
    const intent = await this.#readIntent(options.body);
    this.#record.understood(intent);
    return new Tries({ ...options, intent, arrivedAtMs: this.#arrivedAtMs });
  }

  /** The client's body is what we wait for, or is not any longer: another limit counts. */
  #waiting(isWaiting: boolean): void {
    const { settings, clock } = this.#parts;
    this.#waitingForClient = isWaiting;
    this.deadlineMs = clock.nowMs() + (isWaiting ? settings.uploadIdleTimeoutMs : settings.requestTimeoutMs);
  }

  async #readIntent(body: RequestBody): Promise<Intent> {
    const { method } = this.#request;
    const { fields: headers, target } = this.#context;
    if (!body.whole && wantsPeek(headers)) await this.#interruptible(body.peek());
    const { start, whole } = body;
    // A chunk may reach beyond the limit: where it ends must have no say in where the request goes.
    const peeked = whole ? start : start?.subarray(0, this.#parts.settings.peekLimitBytes);
    return readIntent({ method, target, headers, peeked, whole });
  }

  #bodyOver(outcome: BodyOutcome): void {
    this.#record.failure = outcomeCode(outcome, this.#toProvider ? "provider" : "worker");
    // An answer may be complete before the request is: nobody wants the rest.
    this.#body?.discard();
    this.#delivery?.giveUp();
    this.#finished();
  }

  // --- failure ---------------------------------------------------------------------------------------------

  /** Break off, whatever the request is at. */
  #fail(failure: RelayFailure): void {
    this.#brokenOff ??= failure;
    this.#delivery?.stop(failure);
    this.#responder.body?.fail(failure.code);
    this.#interrupt(failure);
  }

  #refuse(failure: RelayFailure): Response {
    this.#delivery?.giveUp();
    this.#body?.discard();
    try {
      // A backend's own answer, though one with which nobody was content, says more than that no other came.
      const last = failure.code === "client_gone" ? undefined : this.#delivery?.lastAnswer();
      return last ?? this.#failed(failure);
    } catch (thrown) {
      return this.#failed(toFailure(thrown));
    }
  }

  #failed(failure: RelayFailure): Response {
    this.#record.failed(failure);
    this.#finished();
    return failureResponse(failure, this.#record.failedRequest());
  }

  #finished(): void {
    this.#record.bytesIn = this.#body?.receivedBytes ?? 0;
    const { overrideName, result } = this.#record;
    this.#parts.tally.ended(result);
    if (overrideName !== undefined) this.#parts.override?.tally.ended(overrideName, result);
    this.#record.write(this.#parts.clock.nowMs());
  }

  #interruptible<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#interrupt = reject;
      if (this.#brokenOff) reject(this.#brokenOff);
      promise.then(resolve, reject);
    });
  }
}
