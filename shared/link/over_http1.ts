import { contentLength, fieldValue, HTTP1_STOPS, pairsBeyond } from "../headers.ts";
import type { HeaderPairs, Http1Failure, RequestBody } from "../http1/types.ts";
import type { LinkRequestHead, ResetCode } from "./events.ts";

/** How an exchange is carried over HTTP/1.1: by a worker to its backend, by the relay to a provider. */

/** Why it got no whole answer, in the words of the link. */
export const RESET_OF_HTTP1: Readonly<Record<Http1Failure["kind"], ResetCode>> = {
  unreachable: "backend_unreachable",
  broke_off: "backend_broke_off",
  invalid: "backend_invalid",
  timeout: "timeout",
  local: "backend_broke_off",
};

/** The client writes framing and `Host` for its own hop; an old relay sends those of the client's. */
export function http1Headers(headers: HeaderPairs): HeaderPairs {
  return pairsBeyond(headers, HTTP1_STOPS);
}

/** How the body is framed: as its length says, when it is known. */
export function http1Framing(head: LinkRequestHead): RequestBody {
  if (!head.hasBody) return "none";
  const length = announcedLength(head);
  return length === undefined ? "chunked" : { length };
}

/** How long the body is; undefined when nobody said. */
export function announcedLength({ headers }: LinkRequestHead): number | undefined {
  return contentLength(fieldValue(headers, "content-length"));
}
