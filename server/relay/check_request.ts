import { pathMatches } from "../../shared/endpoint_prefixes.ts";
import { RelayFailure, toFailure } from "../../shared/failures.ts";
import { hasDotSegment, pathOf } from "../../shared/path_of.ts";
import type { FieldReader } from "../../shared/received_fields.ts";
import type { RequestContext } from "../../shared/runtime/ports.ts";
import { announcesBody, asksForWebSocket, namesEndpoint } from "../request_headers.ts";
import type { Caller, RelayParts } from "./parts.ts";

/** The runtimes answer or refuse these in their own ways where they can: nobody may tunnel, or see what crosses. */
const NEVER_RELAYED = new Set(["CONNECT", "TRACE"]);

/**
 * What is wrong with a request before its body is looked at.
 * @throws RelayFailure in the order of the checks
 */
export function checkRequest(method: string, context: RequestContext, parts: RelayParts): Caller {
  const { fields: headers, target } = context;
  const head = { headers, method, target };
  const names = namesEndpoint(headers);
  // First: a request meant for a customer's own endpoint must never reach shared workers, whoever sent it.
  if (names && !parts.override) throw new RelayFailure("override_not_allowed");
  checkMethod(method);
  const caller = names ? admitOverride(head, context, parts) : parts.authenticate(headers);
  checkForCaller(head, parts.settings);
  return caller;
}

function admitOverride(head: CheckedHead, context: RequestContext, { override }: RelayParts): Caller {
  const { door, tally } = override!;
  try {
    const admitted = door.admit(head, context.forOverrides === true);
    return { name: admitted.by, consumed: admitted.consumed, mayExplain: false, override: admitted };
  } catch (thrown) {
    tally.refused(toFailure(thrown).code);
    throw thrown;
  }
}

/** What is looked at of a request before its body is. */
export interface CheckedHead {
  readonly method: string;
  readonly target: string;
  readonly headers: FieldReader;
}

/** What is refused whoever asks. @throws RelayFailure */
export function checkMethod(method: string): void {
  if (!NEVER_RELAYED.has(method)) return;
  throw new RelayFailure("method_not_allowed", { headers: { allow: ALLOWED } });
}

export type HeadSettings = Pick<RelayParts["settings"], "maxHeaderSizeBytes" | "allowPaths" | "denyPaths">;

/** What is told only to who may ask. @throws RelayFailure */
export function checkForCaller({ method, target, headers }: CheckedHead, settings: HeadSettings): void {
  if (asksForWebSocket(headers)) throw new RelayFailure("upgrade_unsupported");
  if ((method === "GET" || method === "HEAD") && announcesBody(headers)) {
    throw new RelayFailure("bad_request", { detail: `a ${method} cannot have a body` });
  }
  checkSize(headers, settings.maxHeaderSizeBytes);
  checkPath(pathOf(target), settings);
}

const ALLOWED = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

function checkSize(headers: FieldReader, limitBytes: number): void {
  let bytes = 0;
  headers.forEach((value, name) => {
    bytes += name.length + value.length + 4;
  });
  if (bytes > limitBytes)
    throw new RelayFailure("header_too_large", { detail: `the limit is ${limitBytes} bytes` });
}

function checkPath(path: string, { allowPaths, denyPaths }: HeadSettings): void {
  const denied = denyPaths.length > 0 && (hasDotSegment(path) || pathMatches(path, denyPaths));
  if (denied || !pathMatches(path, allowPaths)) throw new RelayFailure("path_not_allowed");
}
