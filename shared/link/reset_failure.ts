import type { FailureCode } from "../failure_table.ts";
import type { ResetCode } from "./events.ts";

/** What the client is told when its exchange ended that way and no other follows. */
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
