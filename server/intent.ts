import { isUtf8 } from "node:buffer";
import { memberValues } from "./json_members.ts";
import { isBinary, isJson, isText, mediaType } from "./media_type.ts";
import { multipartField } from "./multipart_field.ts";
import { announcesBody, asksForWebSocket } from "./request_headers.ts";
import type { Capability, RouteRequest } from "./routing/types.ts";

/** What is known of a request before it is routed. */
export interface RequestFacts {
  readonly method: string;
  /** Path and query, as they are forwarded. */
  readonly target: string;
  readonly headers: Headers;
  /** The body, as far as it was read; undefined: there is none, or it was not read. */
  readonly peeked?: Uint8Array | undefined;
  /** `peeked` is all of it. */
  readonly whole: boolean;
}

/**
 * What a request asks of routing. The bytes are looked at, never changed.
 *
 * The model comes from the JSON body, else `X-Model`, else a multipart field, else the query. A body that is only
 * there in part may name another model further on: then `X-Model` goes first.
 */
export function readIntent(facts: RequestFacts): RouteRequest {
  const { method, target, headers } = facts;
  const queryAt = target.indexOf("?");
  const query = queryAt === -1 ? undefined : parsedQuery(target.slice(queryAt + 1));
  const members = jsonMembers(facts);
  const inBody = named(members?.get("model"));
  const inHeader = named(headers.get("x-model"));
  return {
    method,
    path: queryAt === -1 ? target : target.slice(0, queryAt),
    model:
      (facts.whole ? (inBody ?? inHeader) : (inHeader ?? inBody)) ??
      formModel(facts) ??
      named(query?.get("model")),
    needs: needsOf(facts),
    streaming: members?.get("stream") === true || query?.get("stream") === "true" || acceptsEvents(headers),
  };
}

/** Whether routing wants to see the beginning of such a request's body. */
export function wantsPeek(headers: Headers): boolean {
  const type = mediaType(headers.get("content-type"));
  return !isEncoded(headers) && (type === "" || isJson(type) || type === "multipart/form-data");
}

/** Whether a JSON body asks its backend to keep what it makes, so that making it twice is not the same. */
export function asksToStore(body: Uint8Array | undefined): boolean {
  if (!body) return false;
  const members = memberValues(body, ["store", "background"], true);
  return members.get("store") === true || members.get("background") === true;
}

const MEMBERS = ["model", "stream"];

/** Only of JSON, and of what has no type and looks like it. */
function jsonMembers({ headers, peeked, whole }: RequestFacts): ReadonlyMap<string, unknown> | undefined {
  if (!peeked || peeked.length === 0 || isEncoded(headers)) return undefined;
  const type = mediaType(headers.get("content-type"));
  const looksJson = type === "" ? peeked[0] === 0x7b : isJson(type);
  return looksJson ? memberValues(peeked, MEMBERS, whole) : undefined;
}

function formModel({ headers, peeked }: RequestFacts): string | undefined {
  const type = headers.get("content-type");
  if (!peeked || isEncoded(headers) || mediaType(type) !== "multipart/form-data") return undefined;
  return named(multipartField(peeked, type!, "model"));
}

/** Most queries say nothing to routing: those are not taken apart. */
function parsedQuery(query: string): URLSearchParams | undefined {
  return query.includes("model=") || query.includes("stream=") ? new URLSearchParams(query) : undefined;
}

function named(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function acceptsEvents(headers: Headers): boolean {
  return headers.get("accept")?.includes("text/event-stream") ?? false;
}

const NO_NEEDS: ReadonlySet<Capability> = new Set();

function needsOf(facts: RequestFacts): ReadonlySet<Capability> {
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

function isEncoded(headers: Headers): boolean {
  const coding = headers.get("content-encoding");
  return coding !== null && coding !== "" && coding.toLowerCase() !== "identity";
}

/** All that the client takes is bytes, as the SDKs say when they ask for speech or a file. */
function expectsBinary(headers: Headers): boolean {
  const accept = headers.get("accept");
  if (accept === null || accept === "*/*") return false;
  return accept.split(",").every((range) => isBinary(mediaType(range)));
}
