import { RelayFailure, toFailure } from "../../shared/failures.ts";
import { log } from "../../shared/log.ts";
import type { RequestContext } from "../../shared/runtime/ports.ts";
import type { Watched } from "../../shared/sweeper.ts";
import { failureResponse } from "../failure_response.ts";
import { type Intent, readIntent, wantsPeek } from "../intent.ts";
import type { BodyOutcome } from "./answer_body.ts";
import { checkRequest } from "./check_request.ts";
import type { Delivery, DeliveryClient, DeliveryOptions } from "./delivery.ts";
import { outcomeCode } from "./outcome_code.ts";
import type { Caller, RelayParts } from "./parts.ts";
import { ProviderDelivery } from "./provider_delivery.ts";
import { type BodySender, RequestBody } from "./request_body.ts";
import { RequestRecord } from "./request_record.ts";
import { type AnsweredClient, Responder } from "./responder.ts";
import { Tries } from "./tries.ts";

/** One client request, from its arrival to the last byte of its answer. */
export class RelayedRequest implements Watched, BodySender, DeliveryClient, AnsweredClient {
  /** When the wait for the first byte of an answer, or for the client's next piece of the body, is over. */
  deadlineMs: number;
  readonly method: string;
  readonly record: RequestRecord;
  readonly #parts: RelayParts;
  readonly #request: Request;
  readonly #context: RequestContext;
  readonly #arrivedAtMs: number;
  readonly #responder: Responder;
  #watch = 0;
  #caller: Caller | undefined;
  #body: RequestBody | undefined;
  #delivery: Delivery | undefined;
  /** It goes to an endpoint of its own. */
  #toProvider = false;
  #waitingForClient = false;
  /** The client is watched: whoever leaves is noticed. */
  #watchesClient = false;
  /** There is a response, or a failure in its place. */
  #settled = false;
  #resolve: (response: Response) => void = () => {};

  constructor(parts: RelayParts, request: Request, context: RequestContext) {
    this.#parts = parts;
    this.#request = request;
    this.#context = context;
    this.method = request.method;
    this.#arrivedAtMs = parts.clock.nowMs();
    this.deadlineMs = this.#arrivedAtMs + parts.settings.requestTimeoutMs;
    this.record = new RequestRecord(this.method, context, this.#arrivedAtMs);
    this.#responder = new Responder(parts, this);
  }

  /** The response. Never rejects: a failure is a response too. */
  answer(): Promise<Response> {
    return new Promise((resolve) => {
      this.#resolve = resolve;
      this.#watch = this.#parts.sweeper.watch(this);
      this.#guarded(() => this.#open());
    });
  }

  /** The deadline passed. */
  expired(): void {
    const late = this.#toProvider ? "provider_timeout" : "request_timeout";
    this.#breakOff(new RelayFailure(this.#waitingForClient ? "upload_timeout" : late));
  }

  /** Most small requests are over before it would matter that their client has left. */
  lasts(): void {
    this.#watchClient();
  }

  // --- from the body ---------------------------------------------------------------------------------------

  keepsWaiting(isWaiting: boolean): void {
    const { settings, clock } = this.#parts;
    this.#waitingForClient = isWaiting;
    // Until a sweep has seen it, hardly any time has gone by.
    const nowMs = this.#watchesClient ? clock.nowMs() : this.#arrivedAtMs;
    this.deadlineMs = nowMs + (isWaiting ? settings.uploadIdleTimeoutMs : settings.requestTimeoutMs);
  }

  bodyHere(): void {
    this.#guarded(() => this.#deliver());
  }

  // --- from the request's own way --------------------------------------------------------------------------

  answered(response: Response): void {
    this.#parts.sweeper.release(this.#watch);
    this.#resolve(response);
  }

  failed(thrown: unknown): void {
    if (this.#settled) return;
    this.#settled = true;
    let response = new Response(null, { status: 500 });
    try {
      response = this.#refusal(toFailure(thrown));
    } catch (error) {
      log.error("A request could not be refused", { request_id: this.record.requestId, error });
    }
    this.answered(response);
  }

  waits(): void {
    this.#watchClient();
  }

  uploadFailed(failure: RelayFailure): void {
    this.#breakOff(failure);
  }

  begun(isStreamed: boolean): void {
    this.#settled = true;
    this.deadlineMs = Number.POSITIVE_INFINITY;
    // A runtime asks nobody who is gone to take a body, and tells nobody that it was not taken.
    if (isStreamed) this.#watchClient();
  }

  bodyOver(outcome: BodyOutcome): void {
    this.record.failure = outcomeCode(outcome, this.#toProvider ? "provider" : "worker");
    // An answer may be complete before the request is: nobody wants the rest.
    this.#body?.discard();
    this.#delivery?.giveUp();
    this.#finished();
  }

  // ---------------------------------------------------------------------------------------------------------

  #open(): void {
    const caller = checkRequest(this.method, this.#context, this.#parts);
    this.record.client = caller.name;
    this.#toProvider = caller.override !== undefined;
    this.#caller = caller;
    const source = { request: this.#request, fields: this.#context.fields, sender: this };
    this.#body = new RequestBody(source, this.#parts.settings);
    if (this.#body.isArriving) this.#body.awaitWhole();
    else this.#deliver();
  }

  #guarded(step: () => void): void {
    try {
      step();
    } catch (thrown) {
      this.failed(thrown);
    }
  }

  #deliver(): void {
    if (this.#settled) return;
    const caller = this.#caller!;
    const body = this.#body!;
    const options: DeliveryOptions = {
      parts: this.#parts,
      method: this.method,
      headers: this.#context.fields,
      context: this.#context,
      caller,
      body,
      record: this.record,
      responder: this.#responder,
      client: this,
    };
    if (caller.override) return this.#begin(new ProviderDelivery(options, caller.override));
    if (body.whole || !wantsPeek(this.#context.fields)) return this.#deliverToWorkers(options);
    const peeked = body.peek().then(() => this.#deliverToWorkers(options));
    peeked.catch((thrown) => this.failed(thrown));
  }

  #deliverToWorkers(options: DeliveryOptions): void {
    if (this.#settled) return;
    const intent = this.#readIntent(options.body);
    this.record.understood(intent);
    this.#begin(new Tries({ ...options, intent, arrivedAtMs: this.#arrivedAtMs }));
  }

  #begin(delivery: Delivery): void {
    this.#delivery = delivery;
    delivery.begin();
  }

  #readIntent({ start, whole }: RequestBody): Intent {
    const { fields: headers, target } = this.#context;
    // A chunk may reach beyond the limit: where it ends must have no say in where the request goes.
    const peeked = whole ? start : start?.subarray(0, this.#parts.settings.peekLimitBytes);
    return readIntent({ method: this.method, target, headers, peeked, whole });
  }

  #watchClient(): void {
    if (this.#watchesClient) return;
    this.#watchesClient = true;
    this.#context.onGone(() => this.#breakOff(new RelayFailure("client_gone")));
  }

  // --- the end ---------------------------------------------------------------------------------------------

  /** Whatever the request is at. */
  #breakOff(failure: RelayFailure): void {
    this.#delivery?.stop(failure);
    this.#responder.body?.fail(failure.code);
    this.failed(failure);
  }

  #refusal(failure: RelayFailure): Response {
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
    this.record.failed(failure);
    this.#finished();
    return failureResponse(failure, this.record.failedRequest());
  }

  #finished(): void {
    this.record.bytesIn = this.#body?.receivedBytes ?? 0;
    const { overrideName, result } = this.record;
    this.#parts.tally.ended(result);
    if (overrideName !== undefined) this.#parts.override?.tally.ended(overrideName, result);
    this.record.write(this.#parts.clock);
  }
}
