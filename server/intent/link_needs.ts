import { isUtf8 } from "node:buffer";
import type { FieldReader } from "../../shared/received_fields.ts";
import { isBinary, isText, mediaType } from "../media_type.ts";
import { announcesBody, asksForWebSocket } from "../request_headers.ts";
import type { Capability } from "../routing/types.ts";
import { isEncoded, type RequestFacts } from "./request_facts.ts";

const NO_NEEDS: ReadonlySet<Capability> = new Set();

/** What a request needs of a link beyond a POST of text. */
export function linkNeeds(facts: RequestFacts): ReadonlySet<Capability> {
  const { method, headers } = facts;
  const needs: Capability[] = [];
  if (method !== "POST") needs.push("method");
  if (isBinaryBody(facts) || expectsBinary(headers)) needs.push("binary");
  if (asksForWebSocket(headers)) needs.push("upgrade");
  return needs.length === 0 ? NO_NEEDS : new Set(needs);
}

/** A body of a text type is taken for text; of any other when it is seen to be. */
function isBinaryBody({ headers, peeked, whole }: RequestFacts): boolean {
  if (!peeked && !announcesBody(headers)) return false;
  if (isEncoded(headers)) return true;
  if (isText(mediaType(headers.get("content-type")))) return false;
  return !(whole && peeked && isUtf8(peeked));
}

/** All that the client takes is bytes, as the SDKs say when they ask for speech or a file. */
function expectsBinary(headers: FieldReader): boolean {
  const accept = headers.get("accept");
  if (accept === null || accept === "*/*") return false;
  return accept.split(",").every((range) => isBinary(mediaType(range)));
}
