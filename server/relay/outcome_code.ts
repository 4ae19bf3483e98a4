import type { FailureCode } from "../../shared/failures.ts";
import { FAILURE_OF_PROVIDER_RESET, FAILURE_OF_RESET } from "../../shared/link/reset_failure.ts";
import type { BodyOutcome } from "./answer_body.ts";

/** What the log says of a body that did not reach its end. The client sees a broken connection. */
const OUTCOME_CODE: Partial<Record<BodyOutcome["kind"], FailureCode>> = {
  client_gone: "client_gone",
  slow_reader: "client_stalled",
  idle: "response_stalled",
};

/** Undefined for a body that is complete. */
export function outcomeCode(
  outcome: BodyOutcome,
  source: "worker" | "provider" = "worker",
): FailureCode | undefined {
  const failures = source === "provider" ? FAILURE_OF_PROVIDER_RESET : FAILURE_OF_RESET;
  if (outcome.kind === "broke_off") return failures[outcome.code];
  return outcome.kind === "failed" ? outcome.code : OUTCOME_CODE[outcome.kind];
}
