import { FAILURES, type FailureCode, type FailureEntry } from "../failure_table.ts";
import type { ResetCode } from "./events.ts";
import { FAILURE_OF_RESET } from "./reset_failure.ts";

/**
 * How a worker's failure looks to a client behind a relay that knows answers only. The text of a reset stays
 * away from it: it may name an address of the worker's network.
 */
export interface PlainFailure {
  status: number;
  /** JSON, in the dialect of the API that the path belongs to. */
  body: string;
  headers: Record<string, string>;
}

/** Here it is the answer that is too long: a request that is never leaves the relay. */
const CODES: Readonly<Record<ResetCode, FailureCode>> = { ...FAILURE_OF_RESET, too_large: "link_overflow" };

/** Where the table speaks of a request, and here it is the answer that does not fit the link. */
const ANSWER_SAYS: Partial<Record<ResetCode, string>> = {
  text_only: "The worker's link carries text only, and the backend's answer is none",
  too_large: "The backend's answer is too long for the worker's link",
};

export function plainFailure(code: ResetCode, path: string): PlainFailure {
  const { status, says, retryAfterS }: FailureEntry = FAILURES[CODES[code]];
  return {
    status: ANSWER_SAYS[code] ? 502 : status,
    body: failureBody(path, CODES[code], ANSWER_SAYS[code] ?? says),
    headers: {
      "content-type": "application/json",
      ...(retryAfterS !== undefined && { "retry-after": `${retryAfterS}` }),
    },
  };
}

export function failureBody(path: string, code: FailureCode, message: string): string {
  if (/^\/v1\/messages(?![^/?])/.test(path)) {
    return JSON.stringify({ type: "error", error: { type: "api_error", message, code } });
  }
  if (path.startsWith("/api/")) return JSON.stringify({ error: message, code });
  return JSON.stringify({ error: { message, type: "server_error", code, param: null } });
}

/** The last event of a stream that broke off. `tail`: the end of what came before, which it must not be glued to. */
export function failureEvent(body: string, tail: string): string {
  const apart = tail === "" || tail.endsWith("\n\n") ? "" : "\n\n";
  return `${apart}event: error\ndata: ${body}\n\n`;
}
