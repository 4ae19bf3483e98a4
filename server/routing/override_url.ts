import type { OverrideFault } from "./override_types.ts";

/**
 * Endpoint URLs in one canonical form or not at all: what two parsers could read in two ways is refused, never
 * repaired. A grammar of our own and the runtime's `URL` must agree on every part.
 */

/** An endpoint's URL, taken apart. */
export interface EndpointUrl {
  /** `https`. */
  readonly secure: boolean;
  /** Lower case. */
  readonly host: string;
  readonly labels: readonly string[];
  /** The scheme's own when none is written. */
  readonly port: number;
  /** Escapes as written. Empty: the path is `/`. */
  readonly segments: readonly string[];
  /** Without its `?`. */
  readonly query: string | undefined;
  /** Path and query. */
  readonly target: string;
  readonly url: string;
}

/** More than any endpoint has, less than what some server on the way cuts off. */
const LINE_MAX_BYTES = 2048;

/** DNS (RFC 1035 2.3.4). */
const HOST_MAX_CHARS = 253;
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** What the URL standard takes for the end of an IPv4 address, in whichever spelling. */
const NUMERIC_LABEL = /^(?:[0-9]+|0x[0-9a-f]*)$/;

const FORM = /^(https?):\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?$/;
const AUTHORITY = /^([^:]*)(?::(.*))?$/s;

/** `pchar` of RFC 3986 without its escapes; in a query also `/` and `?`, and no `'`, which URL parsers escape there. */
const PATH_TEXT = /^[A-Za-z0-9._~!$&'()*+,;=:@%/-]*$/;
const QUERY_TEXT = /^[A-Za-z0-9._~!$&()*+,;=:@%/?-]*$/;

export function isFault(read: object): read is OverrideFault {
  return "detail" in read;
}

/** The one line of a header field that the override looks at, or what is wrong with it. */
export function readOneLine(field: string, lines: readonly string[]): { line: string } | OverrideFault {
  const [line = "", ...others] = lines;
  const wrong = (problem: string) => ({ part: field, detail: `${field} must be ${problem}` });
  if (others.length > 0) return wrong(`sent once: found ${lines.length} lines`);
  if (line === "" || line.length > LINE_MAX_BYTES)
    return wrong(`1 to ${LINE_MAX_BYTES} bytes long: found ${line.length}`);
  if (!/^[\x21-\x7e]*$/.test(line)) return wrong("printable ASCII without spaces");
  if (/[\\"<>^`{|}]/.test(line)) return wrong('without any of \\ " < > ^ ` { | }');
  return { line };
}

/** True for a scheme and a host alone: `https://host`, `https://host:8443/`. */
export function isBareOrigin(value: string): boolean {
  return /^https?:\/\/[^/?#]+\/?$/.test(value);
}

/** The parts of what is written like a URL, whatever they hold. */
export function cutUrl(value: string) {
  const [, scheme, authority = "", path = "", query] = FORM.exec(value) ?? [];
  if (scheme === undefined) return undefined;
  const [, host = "", writtenPort] = AUTHORITY.exec(authority)!;
  return { secure: scheme === "https", authority, host, writtenPort, path, query };
}

export function cutPath(path: string): string[] {
  return path === "/" ? [] : path.slice(1).split("/");
}

/** A query's pieces and what stands between them, in turn: `a=1&b` is `a`, `=`, `1`, `&`, `b`. */
export function cutQuery(query: string): string[] {
  return query.split(/([&;=])/);
}

/** Read a URL that is written in its canonical form, or tell which part is not. */
export function readEndpointUrl(value: string): EndpointUrl | OverrideFault {
  const cut = cutUrl(value);
  if (!cut) return formFault(value);
  const { secure, authority, host, writtenPort, path, query } = cut;
  if (authority.includes("@")) return { part: "userinfo", detail: "it must not name a user" };
  const fault =
    hostFault(host) ?? portFault(writtenPort, secure) ?? pathFault(path) ?? (query && queryFault(query));
  if (fault) return fault;
  const target = path + (query === undefined ? "" : `?${query}`);
  const read = {
    secure,
    host,
    labels: host.split("."),
    port: Number(writtenPort ?? (secure ? 443 : 80)),
    segments: cutPath(path),
    query,
    target,
    url: value,
  };
  return agrees(read) ? read : { part: "url", detail: "it is not written in its canonical form" };
}

function formFault(value: string): OverrideFault {
  if (/^https?:\/\//.test(value)) return { part: "fragment", detail: "it must not have a fragment" };
  return { part: "scheme", detail: "it must begin with https:// in lower case" };
}

function hostFault(host: string): OverrideFault | undefined {
  const wrong = (detail: string) => ({ part: "host", detail });
  const labels = host.split(".");
  if (host.length > HOST_MAX_CHARS) return wrong(`its host is longer than ${HOST_MAX_CHARS} characters`);
  if (host.startsWith("[")) return wrong("its host must be a name, not an address");
  if (!labels.every((label) => LABEL.test(label)))
    return wrong("its host must be labels of lower-case letters, digits and - with single dots between them");
  if (NUMERIC_LABEL.test(labels.at(-1)!)) return wrong("its host must be a name, not an address");
  return labels.length < 2 ? wrong("its host must have at least two labels") : undefined;
}

function portFault(written: string | undefined, secure: boolean): OverrideFault | undefined {
  if (written === undefined) return undefined;
  if (!/^[1-9][0-9]{0,4}$/.test(written) || Number(written) > 65_535)
    return { part: "port", detail: "its port must be 1 to 65535 without leading zeros" };
  if (Number(written) !== (secure ? 443 : 80)) return undefined;
  return { part: "port", detail: "its port must be left out, as it is the scheme's own" };
}

function pathFault(path: string): OverrideFault | undefined {
  const wrong = (detail: string) => ({ part: "path", detail });
  if (path === "") return wrong("it has no path");
  if (path === "/") return undefined;
  if (!PATH_TEXT.test(path)) return wrong("its path has a character that must be escaped");
  for (const segment of path.slice(1).split("/")) {
    const decoded = unescaped(segment);
    if (decoded === undefined || PATH_ESCAPE.test(segment))
      return wrong("its path has an escape that is broken, not UTF-8, or of . / \\ % or a control character");
    // Some servers cut parameters (";x") off a segment before they resolve dots.
    const bare = decoded.split(";", 1)[0]!;
    if (bare === "" || bare === "." || bare === "..") return wrong("its path has an empty or a dot segment");
  }
  return undefined;
}

function queryFault(query: string): OverrideFault | undefined {
  const wrong = (detail: string) => ({ part: "query", detail });
  if (!QUERY_TEXT.test(query)) return wrong("its query has a character that must be escaped");
  return unescaped(query) === undefined
    ? wrong("its query has an escape that is broken, not UTF-8, or of a control character")
    : undefined;
}

/** Of what moves in a path, or makes another escape of what follows. In a query it does neither. */
const PATH_ESCAPE = /%(?:2e|2f|5c|25)/i;

/** Text with its escapes resolved; undefined when one may not be. Overlong UTF-8 is none (`%c0%ae` for a dot). */
function unescaped(text: string): string | undefined {
  try {
    const decoded = decodeURIComponent(text);
    return /\p{Cc}/u.test(decoded) ? undefined : decoded;
  } catch {
    return undefined;
  }
}

/** The runtime's parser reads the same, and would write it the same. */
function agrees({ secure, host, port, target, url }: EndpointUrl): boolean {
  if (!URL.canParse(url)) return false;
  const other = new URL(url);
  const otherPort = Number(other.port || (secure ? 443 : 80));
  const same = other.href === url && other.protocol === (secure ? "https:" : "http:");
  return (
    same && other.hostname === host && otherPort === port && other.href.endsWith(`${other.host}${target}`)
  );
}
