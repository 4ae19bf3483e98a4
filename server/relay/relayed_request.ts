import { RelayFailure, toFailure } from "../../shared/failures.ts";
import { FAILURE_OF_RESET } from "../../shared/link/reset_failure.ts";
import { mayResend } from "../../shared/resend.ts";
import type { RequestContext } from "../../shared/runtime/ports.ts";
import type { Watched } from "../../shared/sweeper.ts";
import { failureResponse } from "../failure_response.ts";
import type { Slot } from "../fleet.ts";
import type { WorkerLink } from "../hub/worker_connection.ts";
import { asksToStore, readIntent, wantsPeek } from "../intent.ts";
import type { RouteRequest } from "../routing/types.ts";
import type { Placed } from "../waiting_line.ts";
import type { BodyOutcome } from "./answer_body.ts";
import { type Answer, Attempt, type AttemptFailure } from "./attempt.ts";
import { checkRequest } from "./check_request.ts";
import { linkHead } from "./link_head.ts";
import { outcomeCode } from "./outcome_code.ts";
import type { Caller, RelayParts } from "./parts.ts";
import { RequestBody } from "./request_body.ts";
import { RequestRecord } from "./request_record.ts";
import { ResendRules } from "./resend_rules.ts";
import { Responder } from "./responder.ts";

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
  readonly #resends = new ResendRules();
  readonly #excluded = new Set<string>();
  #caller!: Caller;
  #body!: RequestBody;
  #slot: Slot<WorkerLink> | undefined;
  #attempt: Attempt | undefined;
  #failure: RelayFailure | undefined;
  #waitingForClient = false;
  /** The client left, or a limit was reached: whatever is waited for does not matter any longer. */
  #brokenOff: RelayFailure | undefined;
  /** Breaks off whatever the request waits for. */
  #interrupt: (failure: RelayFailure) => void = () => {};
  #leaveLine: AbortController | undefined;

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
      over: (outcome) => this.#bodyOver(outcome),
    });
  }

  /** The response. Never rejects: a failure is a response too. */
  async answer(): Promise<Response> {
    this.#context.onGone(() => this.#fail(new RelayFailure("client_gone")));
    this.#parts.sweeper.watch(this);
    try {
      return await this.#relay();
    } catch (thrown) {
      return this.#refuse(toFailure(thrown));
    } finally {
      this.#parts.sweeper.release(this);
    }
  }

  /** The deadline passed. */
  expired(): void {
    this.#fail(new RelayFailure(this.#waitingForClient ? "upload_timeout" : "request_timeout"));
  }

  async #relay(): Promise<Response> {
    this.#caller = checkRequest(this.#request, this.#context, this.#parts);
    this.#record.client = this.#caller.name;
    this.#waiting(true);
    this.#body = await this.#interruptible(RequestBody.open(this.#request, this.#parts.settings));
    this.#body.onWaiting = (isWaiting) => this.#waiting(isWaiting);
    this.#waiting(false);
    const route = await this.#readIntent();
    this.#record.model = route.model;
    for (;;) {
      const result = await this.#try(await this.#place(route), route);
      if (result instanceof Response) return result;
      this.#checkResend(result, route);
    }
  }

  /** The client's body is what we wait for, or is not any longer: another limit counts. */
  #waiting(isWaiting: boolean): void {
    const { settings, clock } = this.#parts;
    this.#waitingForClient = isWaiting;
    this.deadlineMs = clock.nowMs() + (isWaiting ? settings.uploadIdleTimeoutMs : settings.requestTimeoutMs);
  }

  async #readIntent(): Promise<RouteRequest> {
    const { method, headers } = this.#request;
    if (!this.#body.whole && wantsPeek(headers)) await this.#interruptible(this.#body.peek());
    const { start: peeked, whole } = this.#body;
    return readIntent({ method, target: this.#context.target, headers, peeked, whole });
  }

  async #place(route: RouteRequest): Promise<Slot<WorkerLink>> {
    const { line, clock } = this.#parts;
    const request = this.#excluded.size > 0 ? { ...route, excluded: this.#excluded } : route;
    const enteredAtMs = clock.nowMs();
    try {
      const placed = line.placeNow(request);
      // A worker that was lost reconnects within seconds; another failure is not worth a wait for who left before.
      const worthIt = !this.#failure || this.#failure.code === "worker_lost";
      if (!placed && !worthIt && !line.hasTaker(request)) throw this.#failure;
      const { slot } = placed ?? (await this.#waitInLine(request));
      this.#slot = slot;
      this.#record.placed(slot.worker, clock.nowMs() - enteredAtMs);
      return slot;
    } catch (thrown) {
      if (this.#brokenOff) throw this.#brokenOff;
      // Somebody had it and failed: a better answer than that nobody else can take it, but for why they failed.
      throw toFailure(thrown).code === "shutting_down" ? thrown : (this.#failure ?? thrown);
    }
  }

  async #waitInLine(request: RouteRequest): Promise<Placed<WorkerLink>> {
    const { line, settings } = this.#parts;
    this.#leaveLine = new AbortController();
    const placed = await line.enter({
      request,
      bytes: this.#body.heldBytes,
      arrivedAtMs: this.#arrivedAtMs,
      deadlineMs: this.#arrivedAtMs + settings.queueTimeoutMs,
      signal: this.#leaveLine.signal,
    });
    // The client may have left after the slot was given and before we heard of it.
    if (this.#brokenOff) placed.slot[Symbol.dispose]();
    if (this.#brokenOff) throw this.#brokenOff;
    return placed;
  }

  #try(slot: Slot<WorkerLink>, route: RouteRequest): Promise<Response | AttemptFailure> {
    this.#record.attempts++;
    const { link } = slot.worker.link;
    const head = linkHead(route, {
      headers: this.#request.headers,
      context: this.#context,
      caller: this.#caller,
      hasBody: !this.#body.isEmpty,
    });
    return this.#interruptible(
      new Promise((resolve, reject) => {
        this.#attempt = new Attempt(link, head, this.#body, {
          answered: (answer) => this.#accepting(() => resolve(this.#accept(answer)), reject),
          failed: (failure) => {
            this.#freeSlot();
            resolve(failure);
          },
          uploadFailed: (error) => this.#fail(toFailure(error)),
        });
      }),
    );
  }

  // --- the answer ------------------------------------------------------------------------------------------

  #accepting(accept: () => void, reject: (thrown: unknown) => void): void {
    try {
      accept();
    } catch (thrown) {
      this.#giveUp();
      reject(thrown);
    }
  }

  /** Called within the event that brought the head, so that nothing that follows can be missed. */
  #accept(answer: Answer): Response {
    const response = this.#responder.respond(answer, this.#attempt!);
    this.deadlineMs = Number.POSITIVE_INFINITY;
    return response;
  }

  #bodyOver(outcome: BodyOutcome): void {
    this.#record.failure = outcomeCode(outcome);
    if (outcome.kind !== "complete") this.#body.discard();
    this.#giveUp();
    this.#finished();
  }

  // --- failure ---------------------------------------------------------------------------------------------

  /** Remember why the try failed. @throws it when the re-send rules allow no other. */
  #checkResend(failure: AttemptFailure, { method, path }: RouteRequest): void {
    const { settings } = this.#parts;
    this.#failure = new RelayFailure(FAILURE_OF_RESET[failure.code], { cause: failure.text });
    const { replayable, start, whole } = this.#body;
    const stores = whole && asksToStore(start);
    const repeatable = mayResend({ method, path, stores }, settings.resendPaths);
    const allowed = this.#resends.allows(failure, { repeatable, replayable });
    if (!allowed) throw this.#failure;
    this.#excluded.add(this.#record.workerId);
  }

  /** Break off, whatever the request is at. */
  #fail(failure: RelayFailure): void {
    this.#brokenOff ??= failure;
    this.#leaveLine?.abort();
    this.#giveUp();
    this.#responder.body?.fail(failure.code);
    this.#interrupt(failure);
  }

  /** The worker stops working on it, and the slot is free. Nothing happens when it had finished. */
  #giveUp(): void {
    this.#attempt?.cancel("cancelled", "");
    this.#freeSlot();
  }

  #freeSlot(): void {
    this.#slot?.[Symbol.dispose]();
    this.#slot = undefined;
  }

  #refuse(failure: RelayFailure): Response {
    this.#giveUp();
    this.#body?.discard();
    this.#record.failed(failure);
    this.#finished();
    return failureResponse(failure, this.#record.failedRequest());
  }

  #finished(): void {
    this.#record.bytesIn = this.#body?.receivedBytes ?? 0;
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
