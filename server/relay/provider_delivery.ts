import { RelayFailure, toFailure } from "../../shared/failures.ts";
import { contentLength, requestPairs } from "../../shared/headers.ts";
import type { LinkRequestHead } from "../../shared/link/events.ts";
import { FAILURE_OF_PROVIDER_RESET } from "../../shared/link/reset_failure.ts";
import type { AdmittedOverride } from "../override/door.ts";
import type { AnswerWay } from "./answer_way.ts";
import { type Answer, Attempt, type AttemptEvents, type AttemptFailure } from "./attempt.ts";
import type { Delivery, DeliveryOptions } from "./delivery.ts";

/** Takes a request to the endpoint that it names, once: its outcome is final, and no worker hears of it. */
export class ProviderDelivery implements Delivery, AttemptEvents {
  readonly #options: DeliveryOptions;
  readonly #override: AdmittedOverride;
  #attempt: Attempt | undefined;

  constructor(options: DeliveryOptions, override: AdmittedOverride) {
    this.#options = options;
    this.#override = override;
  }

  begin(): void {
    const { parts, body, record } = this.#options;
    const { target } = this.#override;
    record.sentTo(target);
    parts.override!.tally.began();
    const { clock } = parts;
    this.#attempt = new Attempt(parts.override!.carrierTo(target), this.#head(), {
      body,
      edits: [],
      clock,
      events: this,
    });
  }

  // --- from the attempt ------------------------------------------------------------------------------------

  answered(answer: Answer): void {
    const { responder, client } = this.#options;
    try {
      client.answered(
        responder.respond(answer, { attempt: this.#attempt!, lessons: NOTHING_LEARNED, change: undefined }),
      );
    } catch (thrown) {
      this.giveUp();
      client.failed(thrown);
    }
  }

  failed(failure: AttemptFailure): void {
    this.#options.client.failed(failureOf(failure));
  }

  uploadFailed(error: unknown): void {
    this.#options.client.uploadFailed(toFailure(error));
  }

  holdsBack(): boolean {
    return false;
  }

  // ---------------------------------------------------------------------------------------------------------

  lastAnswer(): undefined {}

  stop(): void {
    this.giveUp();
  }

  giveUp(): void {
    this.#attempt?.cancel("cancelled", "");
  }

  #head(): LinkRequestHead {
    const { parts, method, headers, context, body } = this.#options;
    const { consumed, authorization } = this.#override;
    const hasBody = !body.isEmpty;
    const pairs = requestPairs(headers, {
      peer: context.peer,
      secure: context.secure,
      trustedPeer: parts.isTrustedProxy(context.peer),
      consumed,
      contentLength: hasBody ? contentLength(headers.get("content-length")) : undefined,
    });
    if (authorization !== undefined) pairs.push(["authorization", authorization]);
    // The carrier puts the endpoint's own path and query in the place of these.
    return {
      method,
      target: context.target,
      headers: pairs,
      hasBody,
      streaming: true,
      upgrade: false,
      model: "",
    };
  }
}

/** Nothing is learned from a provider, and nothing of its answer changed. */
const NOTHING_LEARNED: AnswerWay["lessons"] = { data() {}, end() {} };

function failureOf({ code, text }: AttemptFailure): RelayFailure {
  return new RelayFailure(FAILURE_OF_PROVIDER_RESET[code], { source: "provider", cause: text });
}
