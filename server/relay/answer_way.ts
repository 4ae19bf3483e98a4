import type { FieldReader } from "../../shared/received_fields.ts";
import type { RouteRequest } from "../routing/types.ts";
import type { Answer, Attempt } from "./attempt.ts";
import type { BodyChange } from "./body_change.ts";
import { Lessons } from "./lessons.ts";
import { metadataChange } from "./metadata_change.ts";
import { openrouterMetadata, type RoutingFacts } from "./openrouter_metadata.ts";
import type { RelayParts } from "./parts.ts";

/** What an answer's bytes pass on their way to the client. */
export interface AnswerWay {
  /** Where they come from. */
  readonly attempt: Attempt;
  readonly lessons: Pick<Lessons, "data" | "end">;
  readonly change: BodyChange | undefined;
}

export interface AnsweredRequest extends Pick<RoutingFacts, "decision" | "served" | "attempts"> {
  readonly request: RouteRequest;
  readonly headers: FieldReader;
  readonly answer: Answer;
  readonly attempt: Attempt;
  readonly dispatchedAtMs: number;
}

export function answerWay({ fleet, clock }: RelayParts, answered: AnsweredRequest): AnswerWay {
  const { request, headers, answer, attempt, dispatchedAtMs, decision, served, attempts } = answered;
  const { method, path } = request;
  const facts = () => ({
    requested: request.model,
    fallback: request.models !== undefined,
    decision,
    served,
    attempts,
    generationMs: clock.nowMs() - dispatchedAtMs,
  });
  return {
    attempt,
    lessons: new Lessons({ fleet, clock, request, served, dispatchedAtMs }, answer.head),
    change: metadataChange({ method, path, headers }, answer.head, () => openrouterMetadata(facts())),
  };
}
