import type { FailureCode } from "../failure_table.ts";
import type { ResetCode } from "./events.ts";

/** What the client is told when its exchange with a worker ended that way and no other follows. */
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

/** The same of an exchange with a provider. There is no link in it: what only a link does is a fault of ours. */
export const FAILURE_OF_PROVIDER_RESET: Readonly<Record<ResetCode, FailureCode>> = {
  cancelled: "internal_error",
  refused: "internal_error",
  backend_unreachable: "provider_unreachable",
  backend_broke_off: "provider_broke_off",
  backend_invalid: "provider_invalid",
  timeout: "provider_timeout",
  text_only: "internal_error",
  overflow: "internal_error",
  too_large: "internal_error",
  invalid: "internal_error",
  link_lost: "internal_error",
};
