import { contentLength, requestPairs } from "../../shared/headers.ts";
import type { LinkRequestHead } from "../../shared/link/events.ts";
import type { RequestContext } from "../../shared/runtime/ports.ts";
import type { RouteRequest } from "../routing/types.ts";
import type { Caller } from "./parts.ts";

/** A client's request as its worker gets it. */
export function linkHead(
  route: RouteRequest,
  request: { headers: Headers; context: RequestContext; caller: Caller; hasBody: boolean },
): LinkRequestHead {
  const { headers, context, caller, hasBody } = request;
  return {
    method: route.method,
    target: context.target,
    headers: requestPairs(headers, {
      peer: context.peer,
      secure: context.secure,
      trustedPeer: caller.trustedPeer,
      consumed: caller.consumed,
      contentLength: hasBody ? contentLength(headers.get("content-length")) : undefined,
    }),
    hasBody,
    streaming: route.streaming,
    upgrade: false,
    model: route.model ?? "",
  };
}
