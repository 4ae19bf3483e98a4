import { contentLength, requestPairs } from "../../shared/headers.ts";
import type { LinkRequestHead } from "../../shared/link/events.ts";
import type { FieldReader } from "../../shared/received_fields.ts";
import type { RequestContext } from "../../shared/runtime/ports.ts";
import { type Edit, sizeDelta } from "../body_edits.ts";
import type { Candidate, RouteRequest } from "../routing/types.ts";
import type { Caller, RelayParts } from "./parts.ts";
import type { RequestBody } from "./request_body.ts";

export interface SentRequest {
  readonly request: RouteRequest;
  /** Who gets it. */
  readonly candidate: Candidate;
  readonly headers: FieldReader;
  readonly context: RequestContext;
  readonly caller: Caller;
  readonly body: RequestBody;
  /** To the body. */
  readonly edits: readonly Edit[];
}

/** A client's request as its worker gets it. */
export function linkHead(
  { request, candidate, headers, context, caller, body, edits }: SentRequest,
  { isTrustedProxy }: Pick<RelayParts, "isTrustedProxy">,
): LinkRequestHead {
  const hasBody = !body.isEmpty;
  const length = hasBody ? contentLength(headers.get("content-length")) : undefined;
  return {
    method: request.method,
    target: context.target,
    headers: requestPairs(headers, {
      peer: context.peer,
      secure: context.secure,
      trustedPeer: isTrustedProxy(context.peer),
      consumed: caller.consumed,
      contentLength: length === undefined ? undefined : length + sizeDelta(edits),
    }),
    hasBody,
    streaming: request.streaming,
    upgrade: false,
    model: candidate.model ?? "",
  };
}
