import { fieldValue, responsePairs as withoutHopByHop } from "../headers.ts";
import type { HeaderPairs } from "../http1/types.ts";

/**
 * What no message carries beside the hop-by-hop fields. The body is text in JSON, so its length is another; and a
 * ModelRelay worker passes on what it gets, though it cannot decode and waits for no 100-continue.
 */
const NOT_IN_REQUESTS: ReadonlySet<string> = new Set(["content-length", "host", "accept-encoding", "expect"]);
const NOT_IN_RESPONSES: ReadonlySet<string> = new Set(["content-length"]);
/** The answer to a HEAD tells the length of what a GET would get: nothing else does. */
const NOTHING: ReadonlySet<string> = new Set();

/** RFC 9110, 5.6.2 and 5.5: a token; any Latin-1 but the controls, tab excepted. */
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

type HeaderRecord = Record<string, string>;

/** The header fields of a request, as they stand in a message. */
export function requestRecord(pairs: HeaderPairs): HeaderRecord | undefined {
  return toRecord(crossing(pairs, NOT_IN_REQUESTS));
}

/** The header fields of a response, as they stand in a message. */
export function responseRecord(pairs: HeaderPairs, method: string): HeaderRecord | undefined {
  return toRecord(crossing(pairs, notInAnswerTo(method)));
}

/** The header fields that a `request` message carries, without what must not reach a backend. */
export function requestPairs(record: HeaderRecord = {}): HeaderPairs {
  return crossing(Object.entries(record), NOT_IN_REQUESTS);
}

/** The header fields that an answer carries, without what must not reach a client. */
export function responsePairs(record: HeaderRecord = {}, method = "POST"): HeaderPairs {
  return crossing(Object.entries(record), notInAnswerTo(method));
}

function notInAnswerTo(method: string): ReadonlySet<string> {
  return method === "HEAD" ? NOTHING : NOT_IN_RESPONSES;
}

/** A body in a content coding is not text. */
export function isEncoded(pairs: HeaderPairs): boolean {
  return !/^(identity)?$/i.test(fieldValue(pairs, "content-encoding")?.trim() ?? "");
}

/** Names in lower case; a field that is not HTTP is left out, as in ModelRelay. */
function crossing(pairs: HeaderPairs, without: ReadonlySet<string>): HeaderPairs {
  return withoutHopByHop(pairs)
    .map(([name, value]): HeaderPairs[number] => [name.toLowerCase(), value])
    .filter(([name, value]) => !without.has(name) && NAME.test(name) && VALUE.test(value));
}

/** There is room for one value per name. Undefined for no fields at all: the member is then left out. */
function toRecord(pairs: HeaderPairs): HeaderRecord | undefined {
  const values = new Map<string, string>();
  for (const [name, value] of pairs) values.set(name, combine(name, values.get(name), value));
  return values.size > 0 ? Object.fromEntries(values) : undefined;
}

/** RFC 9110, 5.3: repeated fields are one list. Cookies are not (RFC 6265, 3 and 5.4): the last one set stays. */
function combine(name: string, before: string | undefined, value: string): string {
  if (before === undefined || name === "set-cookie") return value;
  return `${before}${name === "cookie" ? "; " : ", "}${value}`;
}
