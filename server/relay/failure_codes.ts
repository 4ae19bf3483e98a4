import type { FailureCode } from "../../shared/failures.ts";
import type { ResetCode } from "../../shared/link/events.ts";
import type { BodyOutcome } from "./answer_body.ts";

/** What the client is told when a try ended that way and none follows. */
export const FAILURE_OF_RESET: Readonly<Record<ResetCode, FailureCode>> = {
  cancelled: "worker_lost",
  refused: "worker_refused",
  backend_unreachable: "backend_unreachable",
  backend_broke_off: "backend_broke_off",
  backend_invalid: "backend_invalid",
  timeout: "request_timeout",
  text_only: "plain_link_text_only",
  overflow: "link_overflow",
  too_large: "body_too_large",
  invalid: "worker_invalid",
  link_lost: "worker_lost",
};

/** What the log says of a body that did not reach its end. The client sees a broken connection. */
const OUTCOME_CODE: Partial<Record<BodyOutcome["kind"], FailureCode>> = {
  client_gone: "client_gone",
  slow_reader: "client_stalled",
  idle: "response_stalled",
};

/** Undefined for a body that is complete. */
export function outcomeCode(outcome: BodyOutcome): FailureCode | undefined {
  if (outcome.kind === "broke_off") return FAILURE_OF_RESET[outcome.code];
  return outcome.kind === "failed" ? outcome.code : OUTCOME_CODE[outcome.kind];
}
