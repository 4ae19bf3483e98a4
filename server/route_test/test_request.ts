import { Buffer } from "node:buffer";
import { quote } from "../../shared/printable.ts";
import { normalTarget } from "../../shared/runtime/target.ts";
import type { ClientKey } from "../keys/keys_file.ts";
import { isJson, mediaType } from "../media_type.ts";
import type { RequestTable } from "./scenario_schema.ts";

/** A request that is only asked about. */
export interface TestRequest {
  /** Upper case. */
  readonly method: string;
  /** Path and query, as they are forwarded. */
  readonly target: string;
  readonly headers: Headers;
  readonly body?: Uint8Array;
  readonly asker?: TestAsker;
}

/** Who asks, as far as headers do not tell. */
export interface TestAsker {
  readonly key?: ClientKey | undefined;
  /** It came to the listener that is for overrides. */
  readonly onListener?: boolean | undefined;
  /** The id of the key that made a signature which is right. */
  readonly signedBy?: string | undefined;
}

/** A part of a described request, by its key in `[request]`. */
export type RequestPart = keyof RequestTable;

/** A part of a described request is wrong. `problem` says what was wanted and what was found. */
export class RequestMistake extends Error {
  override readonly name = "RequestMistake";
  constructor(
    readonly part: RequestPart,
    readonly problem: string,
    readonly hint: string,
  ) {
    super(`${part}: ${problem}`);
  }
}

/** A body goes with these. */
const WITH_BODY = new Set(["POST", "PUT", "PATCH"]);

/** The parts of a request that may stand in its body or in its head. */
const PLACES = [
  { part: "model", member: "model", header: "x-model" },
  { part: "provider", member: "provider", header: "x-provider" },
  { part: "session", member: "session_id", header: "x-session-id" },
] as const;

/**
 * The request that a table describes, as a client would send it: model, provider and session go into a JSON body
 * made for them where the method has one and none is given, else into headers.
 * @throws RequestMistake
 */
export function testRequest(table: RequestTable): TestRequest {
  const headers = readHeaders(table.headers);
  const givenBody = bodyOf(table, headers);
  const method = readMethod(table.method);
  const request = { method, target: readPath(table.path), headers, asker: askerOf(table) };
  const given = PLACES.filter(({ part }) => table[part] !== undefined);
  for (const place of given) refuseTwice(place, givenBody, headers);
  const makesBody = given.length > 0 && givenBody === undefined && WITH_BODY.has(method);
  if (!makesBody)
    for (const { part, header } of given) setHeader(headers, part, [header, headerValue(table[part]!)]);
  const body = makesBody ? madeBody(table) : givenBody;
  if (body === undefined) return request;
  if (!headers.has("content-type") && parseJson(body) !== undefined)
    headers.set("content-type", "application/json");
  if (!headers.has("transfer-encoding")) headers.set("content-length", `${body.length}`);
  return { ...request, body };
}

function askerOf({ key, on_listener: onListener, signed_by: signedBy }: RequestTable): TestAsker {
  if (!key) return { onListener, signedBy };
  const { name, scopes, override_endpoints: limits } = key;
  const overrideEndpoints = limits && new Set(limits);
  return { onListener, signedBy, key: { name, scopes: new Set(scopes), overrideEndpoints } };
}

function readMethod(text: string): string {
  if (/^[A-Za-z-]{1,32}$/.test(text)) return text.toUpperCase();
  throw new RequestMistake("method", `${quote(text)} is not a method`, "write POST, GET or another one");
}

function readPath(text: string): string {
  if (/^\/[^\s\p{Cc}]*$/u.test(text)) return normalTarget(text);
  throw new RequestMistake(
    "path",
    `${quote(text)} is not a path`,
    "write it as clients send it, without the relay's address: /v1/chat/completions",
  );
}

function readHeaders(fields: RequestTable["headers"]): Headers {
  const headers = new Headers();
  for (const [name, values] of Object.entries(fields)) {
    for (const value of [values].flat()) setHeader(headers, "headers", [name, value]);
  }
  return headers;
}

function setHeader(headers: Headers, part: RequestPart, [name, value]: readonly [string, string]): void {
  try {
    headers.append(name, value);
  } catch {
    throw new RequestMistake(
      part,
      `${quote(`${name}: ${value}`)} is not a header field`,
      "a name has letters, digits and -, a value one line of Latin letters",
    );
  }
}

/** A body that is to be JSON must be: a slip in it would be read as a request that names nothing. */
function bodyOf(table: RequestTable, headers: Headers): Uint8Array | undefined {
  const bodies = BODIES.filter((part) => table[part] !== undefined);
  const [part, other] = bodies;
  if (part === undefined) return undefined;
  if (other !== undefined)
    throw new RequestMistake(other, `there is ${part} too`, `keep one of ${BODIES.join(", ")}`);
  const body = bytesOf(table);
  const type = mediaType(headers.get("content-type"));
  if ((type !== "" && !isJson(type)) || parseJson(body) !== undefined) return body;
  throw new RequestMistake(
    part,
    "it is not JSON",
    "another kind of body needs a Content-Type header that names it",
  );
}

const BODIES = ["body", "body_text", "body_base64"] as const;

function bytesOf({ body, body_text, body_base64 = "" }: RequestTable): Uint8Array {
  if (body !== undefined) return Buffer.from(JSON.stringify(body));
  return body_text === undefined ? Buffer.from(body_base64, "base64") : Buffer.from(body_text);
}

/** What counts in the end would be the body, or both headers: neither is what was meant. */
function refuseTwice(
  { part, member, header }: (typeof PLACES)[number],
  body: Uint8Array | undefined,
  headers: Headers,
): void {
  if (headers.has(header)) throw twice(part, `the header ${header} says it too`);
  const members = body && parseJson(body);
  if (typeof members !== "object" || members === null) return;
  const named = (members as Record<string, unknown>)[member];
  const counts =
    part === "provider" ? typeof named === "object" && named !== null : typeof named === "string";
  if (counts) throw twice(part, `the body has ${member} already, and the body counts`);
}

function twice(part: RequestPart, problem: string): RequestMistake {
  return new RequestMistake(part, problem, "say it in one place only");
}

function madeBody({ model, provider, session }: RequestTable): Uint8Array {
  const members = {
    ...(model !== undefined && { model }),
    ...(provider !== undefined && {
      provider: typeof provider === "string" ? { only: names(provider) } : provider,
    }),
    ...(session !== undefined && { session_id: session }),
  };
  return Buffer.from(JSON.stringify(members));
}

function names(list: string): string[] {
  return list
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
}

/** JSON in a header keeps to ASCII. */
function headerValue(value: string | object): string {
  if (typeof value === "string") return value;
  return JSON.stringify(value).replace(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Undefined: it is not JSON. */
function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
}
