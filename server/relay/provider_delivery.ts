import { RelayFailure, toFailure } from "../../shared/failures.ts";
import { contentLength, requestPairs } from "../../shared/headers.ts";
import type { LinkRequestHead } from "../../shared/link/events.ts";
import { FAILURE_OF_PROVIDER_RESET } from "../../shared/link/reset_failure.ts";
import type { AdmittedOverride } from "../override/door.ts";
import type { AnswerWay } from "./answer_way.ts";
import { Attempt, type AttemptFailure } from "./attempt.ts";
import type { Delivery, DeliveryOptions } from "./delivery.ts";

/** Takes a request to the endpoint that it names, once: its outcome is final, and no worker hears of it. */
export class ProviderDelivery implements Delivery {
  readonly #options: DeliveryOptions;
  readonly #override: AdmittedOverride;
  #attempt: Attempt | undefined;

  constructor(options: DeliveryOptions, override: AdmittedOverride) {
    this.#options = options;
    this.#override = override;
  }

  answer(): Promise<Response> {
    const { parts, body, record, responder, uploadFailed } = this.#options;
    const { target } = this.#override;
    record.sentTo(target);
    parts.override!.tally.began();
    return new Promise((resolve, reject) => {
      const attempt = new Attempt(parts.override!.carrierTo(target), this.#head(), {
        body,
        edits: [],
        clock: parts.clock,
        events: {
          answered: (answer) => {
            try {
              resolve(responder.respond(answer, { ...UNCHANGED, attempt }));
            } catch (thrown) {
              this.giveUp();
              reject(thrown);
            }
          },
          failed: (failure) => reject(failureOf(failure)),
          uploadFailed: (error) => uploadFailed(toFailure(error)),
          holdsBack: () => false,
        },
      });
      this.#attempt = attempt;
    });
  }

  lastAnswer(): undefined {}

  stop(): void {
    this.giveUp();
  }

  giveUp(): void {
    this.#attempt?.cancel("cancelled", "");
  }

  #head(): LinkRequestHead {
    const { method, headers, context, caller, body } = this.#options;
    const { consumed, authorization } = this.#override;
    const hasBody = !body.isEmpty;
    const pairs = requestPairs(headers, {
      peer: context.peer,
      secure: context.secure,
      trustedPeer: caller.trustedPeer,
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
const UNCHANGED: Omit<AnswerWay, "attempt"> = { lessons: { data() {}, end() {} }, change: undefined };

function failureOf({ code, text }: AttemptFailure): RelayFailure {
  return new RelayFailure(FAILURE_OF_PROVIDER_RESET[code], { source: "provider", cause: text });
}
