import { RelayFailure } from "./failures.ts";
import { safeNumber } from "./http1/field_syntax.ts";
import type { HeaderPairs } from "./http1/types.ts";
import type { FieldReader } from "./received_fields.ts";
import { setsSession, withoutSession } from "./session_cookie.ts";

/** What crosses a hop and what stops there. Names are compared in lower case. */

/** RFC 9110 7.6.1, and the older ones that were meant for one hop too. Fields that `Connection` names join them. */
const HOP_BY_HOP = [
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authenticate",
  "proxy-authentication-info",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
];

const REQUEST_STOPS: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  // The next hop's framing and name are its own; the runtime has answered `Expect`.
  "content-length",
  "host",
  "expect",
  // The handshake of this hop's WebSocket. The subprotocols are the backend's business and go on.
  "sec-websocket-key",
  "sec-websocket-version",
  "sec-websocket-extensions",
  // Written anew below.
  "via",
  "x-forwarded-for",
  "x-forwarded-proto",
  "x-forwarded-host",
  // What the client tells the relay.
  "x-model",
  "x-model-provider",
  "x-openrouter-metadata",
  "x-worker-secret",
]);
const RESPONSE_STOPS: ReadonlySet<string> = new Set(HOP_BY_HOP);

/** What stops where HTTP/1.1 is written: framing and `Host` are written anew for the next hop. */
export const HTTP1_STOPS: ReadonlySet<string> = new Set([...HOP_BY_HOP, "content-length", "host", "expect"]);

/** nginx in front would collect events into pages unless it says `no`. */
export const BUFFERING_HEADER = "x-accel-buffering";

/** How the relay names itself in `Via` (RFC 9110 7.6.3). */
const VIA = "1.1 signalbox";

export interface RequestCrossing {
  /** The client's address as the relay sees it. */
  peer: string;
  /** It came over TLS. */
  secure: boolean;
  /** The peer is a proxy of ours: what it says of the client is kept and continued. Otherwise it is replaced. */
  trustedPeer: boolean;
  /** Names, in lower case, of the fields that held a credential which was meant for the relay. */
  consumed: readonly string[];
  /** How long the body is, when that is known. */
  contentLength?: number | undefined;
}

/**
 * What of a client's request goes to the worker. One pass: it is done for each request. (The plain form of the
 * link drops some more: it cannot carry compressed answers.)
 */
export function requestPairs(headers: FieldReader, crossing: RequestCrossing): HeaderPairs {
  const { consumed, contentLength, trustedPeer } = crossing;
  const named = connectionNames(headers.get("connection"));
  const pairs: HeaderPairs = [];
  headers.forEach((value, name) => {
    if (REQUEST_STOPS.has(name) || isForRelay(name) || consumed.includes(name) || named?.has(name)) return;
    if (!trustedPeer && name === "forwarded") return;
    const kept = name === "cookie" ? withoutSession(value) : value;
    // An empty field stays what it was.
    if (kept !== "" || value === "") pairs.push([name, kept]);
  });
  if (contentLength !== undefined) pairs.push(["content-length", String(contentLength)]);
  pushForwarded(pairs, headers, crossing);
  return pairs;
}

/**
 * `x-provider`, `x-provider-endpoint`, …, `x-signalbox-…`; also with underscores, which some servers take for dashes:
 * what a backend behind one would read must not get past here.
 */
function isForRelay(name: string): boolean {
  if (!name.startsWith("x-") && !name.startsWith("x_")) return false;
  const dashed = name.includes("_") ? name.replaceAll("_", "-") : name;
  if (dashed.startsWith("x-provider") || dashed.startsWith("x-signalbox-")) return true;
  return dashed !== name && REQUEST_STOPS.has(dashed);
}

function pushForwarded(pairs: HeaderPairs, headers: FieldReader, crossing: RequestCrossing): void {
  const told = (name: string) => (crossing.trustedPeer ? headers.get(name) : null);
  const before = told("x-forwarded-for");
  const host = told("x-forwarded-host") ?? headers.get("host");
  pairs.push(["via", continued(headers.get("via"), VIA)]);
  // A client on a unix socket has no address.
  const chain = crossing.peer === "" ? before : continued(before, crossing.peer);
  if (chain) pairs.push(["x-forwarded-for", chain]);
  pairs.push(["x-forwarded-proto", told("x-forwarded-proto") ?? (crossing.secure ? "https" : "http")]);
  if (host !== null) pairs.push(["x-forwarded-host", host]);
}

const continued = (before: string | null | undefined, next: string) => (before ? `${before}, ${next}` : next);

/** What of a backend's response goes to the relay; a `content-length` stays, as the link wants it. */
export function responsePairs(received: HeaderPairs): HeaderPairs {
  return pairsBeyond(received, RESPONSE_STOPS);
}

/** What is left of fields without these, named in lower case, and without those that `Connection` names. */
export function pairsBeyond(received: HeaderPairs, stops: ReadonlySet<string>): HeaderPairs {
  const named = namedByConnection(received);
  return received.filter(([name]) => {
    const lower = name.toLowerCase();
    return !stops.has(lower) && !named?.has(lower);
  });
}

/** The relay's own fields of an answer, for `addResponseHeaders`. */
export function relayHeaders(fields: Readonly<Record<string, string>>): Headers {
  return new Headers({ ...fields, via: VIA });
}

/**
 * Adds what of a worker's response goes to the client to the relay's own fields, made by `relayHeaders`, of which it
 * replaces none. The length is left out: the runtime frames the body. A worker is not trusted: what it should have
 * stopped stops here.
 *
 * @throws RelayFailure `worker_invalid` when a name is no token or a value holds CR, LF, NUL or more than Latin-1.
 */
export function addResponseHeaders(headers: Headers, pairs: HeaderPairs): Headers {
  const named = namedByConnection(pairs);
  let via: string | undefined;
  let saysBuffering: boolean | undefined;
  for (const [name, value] of pairs) {
    const lower = name.toLowerCase();
    if (RESPONSE_STOPS.has(lower) || named?.has(lower)) continue;
    if (lower === "content-length" || lower.startsWith("x-signalbox-")) continue;
    if (lower === "set-cookie" && setsSession(value)) continue;
    if (lower === BUFFERING_HEADER) {
      // Of the relay's own the one that a backend may know too.
      saysBuffering ??= headers.has(BUFFERING_HEADER);
      if (saysBuffering) continue;
    }
    if (lower === "via") via = continued(via, value.trim());
    else append(headers, lower, value);
  }
  if (via !== undefined) {
    headers.delete("via");
    append(headers, "via", continued(via, VIA));
  }
  return headers;
}

/** The runtimes' `Headers` check names and values as the fetch standard says, and keep `Set-Cookie` apart. */
function append(headers: Headers, name: string, value: string): void {
  try {
    headers.append(name, value);
  } catch (cause) {
    throw new RelayFailure("worker_invalid", { source: "worker", cause });
  }
}

/** The first value of a field. `name` in lower case. */
export function fieldValue(pairs: HeaderPairs, name: string): string | undefined {
  for (const [written, value] of pairs) {
    // By length first: most need not be turned to lower case.
    if (written.length === name.length && written.toLowerCase() === name) return value;
  }
  return undefined;
}

/** The length that a `Content-Length` names; undefined when there is none or it is no number. */
export function contentLength(value: string | null | undefined): number | undefined {
  return value ? safeNumber(value) : undefined;
}

/** The fields that the `Connection` fields name, of which there may be more than one; undefined: none. */
function namedByConnection(pairs: HeaderPairs): Set<string> | undefined {
  let named: Set<string> | undefined;
  for (const [name, value] of pairs) {
    if (name.length !== "connection".length || name.toLowerCase() !== "connection") continue;
    const more = connectionNames(value);
    named = named && more ? named.union(more) : (more ?? named);
  }
  return named;
}

/** The fields that a `Connection` names; undefined for the usual ones, which name none. */
function connectionNames(value: string | null | undefined): Set<string> | undefined {
  if (!value || value === "keep-alive" || value === "close") return undefined;
  return new Set(value.split(",").map((name) => name.trim().toLowerCase()));
}
