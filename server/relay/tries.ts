import { type RelayFailure, toFailure } from "../../shared/failures.ts";
import { joined } from "../../shared/joined.ts";
import { mayResend } from "../../shared/resend.ts";
import { bodyEdits, type Edit } from "../body_edits.ts";
import type { Slot } from "../fleet.ts";
import type { WorkerLink } from "../hub/worker_connection.ts";
import { asksToStore, type Intent } from "../intent.ts";
import type { Candidate } from "../routing/types.ts";
import { FALLBACK_STATUSES } from "../settings.ts";
import type { Placed } from "../waiting_line.ts";
import { answerWay } from "./answer_way.ts";
import { type Answer, Attempt, type AttemptFailure, failureOf } from "./attempt.ts";
import type { Delivery, DeliveryOptions } from "./delivery.ts";
import { linkHead } from "./link_head.ts";
import { type RoutedAttempt, routedAttempt } from "./openrouter_metadata.ts";
import { Placement } from "./placement.ts";
import { ResendRules } from "./resend_rules.ts";

/** A request that goes to workers. */
export interface TriesOptions extends DeliveryOptions {
  readonly intent: Intent;
  readonly arrivedAtMs: number;
}

/** A worker that has the request. */
interface Try {
  readonly candidate: Candidate;
  readonly slot: Slot<WorkerLink>;
  readonly dispatchedAtMs: number;
}
interface Answered extends Try {
  readonly answer: Answer;
  readonly attempt: Attempt;
}

const ALL_STATUSES: ReadonlySet<number> = new Set(FALLBACK_STATUSES);

/** Too many requests, not available, overloaded: the backend did not begin. */
const DID_NOTHING: ReadonlySet<number> = new Set([429, 503, 529]);

/** The tries to have one request answered: down its list of candidates until one answers or the rules end it. */
export class Tries implements Delivery {
  readonly #options: TriesOptions;
  readonly #placement: Placement;
  readonly #resends = new ResendRules();
  /** On which statuses of a backend the next worker is tried. */
  readonly #fallbackOn: ReadonlySet<number>;
  readonly #made: RoutedAttempt[] = [];
  #slot: Slot<WorkerLink> | undefined;
  #attempt: Attempt | undefined;
  /** Why the last try failed. */
  #failure: RelayFailure | undefined;
  /** The last answer, with which nobody was content. */
  #held: Answered | undefined;
  #leaveLine: AbortController | undefined;
  #stopped: RelayFailure | undefined;

  constructor(options: TriesOptions) {
    this.#options = options;
    this.#placement = new Placement(options.intent.request);
    this.#fallbackOn = this.#placement.namesFallbacks ? ALL_STATUSES : options.parts.settings.fallbackOn;
  }

  begin(): void {
    const { client } = this.#options;
    const failed = (thrown: unknown) => client.failed(thrown);
    this.#answer().then((response) => client.answered(response), failed);
  }

  /** @throws RelayFailure when there is none that may go to the client */
  async #answer(): Promise<Response> {
    for (;;) {
      this.#checkStopped();
      const to = await this.#place();
      this.#checkStopped();
      const result = await this.#send(to);
      if (result instanceof Response) return result;
      if (result) this.#checkResend(result);
    }
  }

  /** What the client gets when the tries failed after a backend had answered. */
  lastAnswer(): Response | undefined {
    return this.#held && this.#respond(this.#held);
  }

  /** The request is over, whatever it waits for: the worker stops, the slot is free. */
  stop(failure: RelayFailure): void {
    this.#stopped ??= failure;
    this.#leaveLine?.abort();
    this.giveUp();
  }

  /** The worker stops working on it, and the slot is free. Nothing happens when it had finished. */
  giveUp(): void {
    this.#attempt?.cancel("cancelled", "");
    this.#freeSlot();
  }

  /** The client may have left after an event and before we heard of it: a slot that it brought is free again. */
  #checkStopped(): void {
    if (!this.#stopped) return;
    this.#freeSlot();
    throw this.#stopped;
  }

  async #place(): Promise<Try> {
    const { parts, record } = this.#options;
    const enteredAtMs = parts.clock.nowMs();
    try {
      const { slot, decision } = this.#placeNow() ?? (await this.#waitInLine());
      this.#slot = slot;
      const candidate = this.#placement.given(decision);
      const dispatchedAtMs = parts.clock.nowMs();
      record.placed(candidate, dispatchedAtMs - enteredAtMs);
      if (this.#options.caller.mayExplain) record.explain(decision);
      return { candidate, slot, dispatchedAtMs };
    } catch (thrown) {
      if (this.#options.caller.mayExplain) record.explain(parts.line.decide(this.#placement.request));
      // Somebody had it and failed: a better answer than that nobody else can take it, but for why they failed.
      throw toFailure(thrown).code === "shutting_down" ? thrown : (this.#failure ?? thrown);
    }
  }

  #placeNow(): Placed<WorkerLink> | undefined {
    const { line } = this.#options.parts;
    const { request } = this.#placement;
    const placed = line.placeNow(request);
    // A worker that was lost reconnects within seconds. Another failure, or an answer, is not worth a wait for it.
    const worthIt = !this.#failure || (this.#failure.code === "worker_lost" && !this.#held);
    if (!placed && !worthIt && !line.hasTaker(request)) throw this.#failure;
    return placed;
  }

  #waitInLine(): Promise<Placed<WorkerLink>> {
    const { parts, body, arrivedAtMs, client } = this.#options;
    this.#leaveLine = new AbortController();
    client.waits();
    return parts.line.enter({
      request: this.#placement.request,
      bytes: body.heldBytes,
      arrivedAtMs,
      deadlineMs: arrivedAtMs + parts.settings.queueTimeoutMs,
      signal: this.#leaveLine.signal,
    });
  }

  /** The answer; undefined: it is held, as the next worker may give a better one; or why there is none. */
  #send(to: Try): Promise<Response | AttemptFailure | undefined> {
    const { parts, headers, context, caller, body, intent, record } = this.#options;
    record.attempts++;
    const { candidate } = to;
    const edits = this.#edits(candidate);
    const head = linkHead(
      { request: intent.request, candidate, headers, context, caller, body, edits },
      parts,
    );
    return new Promise((resolve, reject) => {
      const attempt = new Attempt(to.slot.worker.link.link, head, {
        body,
        edits,
        clock: parts.clock,
        events: {
          answered: (answer) => {
            try {
              resolve(this.#accept({ ...to, answer, attempt }));
            } catch (thrown) {
              this.giveUp();
              reject(thrown);
            }
          },
          failed: (failure) => {
            this.#made.push(routedAttempt(candidate, failureOf(failure).status));
            this.#placement.failed(candidate);
            this.#freeSlot();
            resolve(failure);
          },
          uploadFailed: (error) => this.#options.client.uploadFailed(toFailure(error)),
          holdsBack: (status) => this.#fallsBack(candidate, status),
        },
      });
      this.#attempt = attempt;
    });
  }

  /** What the worker's backend reads in place of what the client wrote: most requests cross as they are. */
  #edits({ model }: Candidate): readonly Edit[] {
    const { intent, body, parts } = this.#options;
    const { routingText } = intent;
    if (!routingText || !body.start) return [];
    return bodyEdits(body.start, routingText, { model, withoutPreferences: parts.settings.stripProvider });
  }

  /** Called within the event that brought the head, so that nothing that follows can be missed. */
  #accept(answered: Answered): Response | undefined {
    const { candidate, answer } = answered;
    this.#made.push(routedAttempt(candidate, answer.head.status));
    if (!answer.keepable || !this.#fallsBack(candidate, answer.head.status)) return this.#respond(answered);
    this.#held = { ...answered, answer: { ...answer, early: [new Uint8Array(joined(answer.early))] } };
    this.#failure = undefined;
    this.#resends.fellBack();
    this.#freeSlot();
    return undefined;
  }

  /** Whether somebody else is to be asked when a backend answers so. */
  #fallsBack(candidate: Candidate, status: number): boolean {
    const { body, parts } = this.#options;
    if (!this.#fallbackOn.has(status) || !this.#resends.allowsFallback(body)) return false;
    // What may not be done twice goes on only when the backend says that it did nothing.
    if (!DID_NOTHING.has(status) && !this.#isRepeatable()) return false;
    this.#placement.answeredWithError(candidate);
    return parts.line.hasTaker(this.#placement.request);
  }

  #respond({ answer, attempt, candidate, dispatchedAtMs }: Answered): Response {
    const { parts, record, responder, headers, intent } = this.#options;
    record.answeredBy(candidate);
    const way = answerWay(parts, {
      request: intent.request,
      headers,
      answer,
      attempt,
      dispatchedAtMs,
      decision: this.#placement.first!,
      served: candidate,
      attempts: this.#made,
    });
    return responder.respond(answer, way);
  }

  /** Remember why the try failed. @throws it when the re-send rules allow no other. */
  #checkResend(failure: AttemptFailure): void {
    const rules = { repeatable: this.#isRepeatable(), replayable: this.#options.body.replayable };
    this.#failure = failureOf(failure);
    if (!this.#resends.allows(failure, rules)) throw this.#failure;
  }

  #isRepeatable(): boolean {
    const { intent, body, parts } = this.#options;
    const { method, path } = intent.request;
    const stores = intent.stores ?? (body.whole && asksToStore(body.start));
    return mayResend({ method, path, stores }, parts.settings.resendPaths);
  }

  #freeSlot(): void {
    this.#slot?.[Symbol.dispose]();
    this.#slot = undefined;
  }
}
