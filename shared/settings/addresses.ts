import ipaddr from "ipaddr.js";
import { type Kind, kindOf, Misread } from "./field.ts";
import { listOf } from "./texts.ts";

/** Where to listen. */
export interface HostPort {
  /** A name or an address; IPv6 without brackets. */
  host: string;
  /** 0 takes a free one. */
  port: number;
}

/** `HOST:PORT`; IPv6 in brackets. */
export const hostPort: Kind<HostPort> = kindOf({
  placeholder: "HOST:PORT",
  hint: "write 127.0.0.1:8080, [::1]:8080 or localhost:8080",
  read(raw) {
    const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+)):(\d{1,5})$/i.exec(
      typeof raw === "string" ? raw.trim() : "",
    );
    const [, v6, name, port] = match ?? misread("is not an address with a port");
    if (v6 !== undefined && !ipaddr.IPv6.isValid(v6)) misread("is not an address with a port");
    return Number(port) <= 65_535
      ? { host: v6 ?? name!, port: Number(port) }
      : misread("has a port above 65535");
  },
  print: ({ host, port }) => `${host.includes(":") ? `[${host}]` : host}:${port}`,
});

/** Base URLs of relays. ModelRelay takes WebSocket schemes too. */
export const relayUrls: Kind<string[]> = listOf({
  placeholder: "URL",
  hint: "write https://relay.example.com, several with commas between them",
  least: 1,
  read: (text) => readBaseUrl(text, ["http:", "https:", "ws:", "wss:"]),
});

/** Base URL of a backend. */
export const backendUrl: Kind<string> = baseUrl("write http://127.0.0.1:8000");

/** Base URL of one relay, to ask it something. */
export const relayUrl: Kind<string> = baseUrl("write http://127.0.0.1:8080");

function baseUrl(hint: string): Kind<string> {
  return kindOf({
    placeholder: "URL",
    hint,
    read: (raw) => readBaseUrl(typeof raw === "string" ? raw : "", ["http:", "https:"]),
    print: (value) => value,
  });
}

/** Networks in CIDR notation, normalised; an address alone is itself. No octal or short IPv4, and no zone. */
export const networks: Kind<string[]> = listOf({
  placeholder: "CIDR",
  hint: "write 10.0.0.0/8, fd00::/8 or 127.0.0.1",
  read(text) {
    const network = text.includes("/") ? text : `${text}/${text.includes(":") ? 128 : 32}`;
    const { IPv4, IPv6 } = ipaddr;
    const isNetwork = IPv4.isValidCIDRFourPartDecimal(network) || IPv6.isValidCIDR(network);
    if (!isNetwork || text.includes("%")) throw new Misread("is not a network");
    const [address, bits] = ipaddr.parseCIDR(network);
    return `${address}/${bits}`;
  },
});

/** Web origins that may call from a browser; `*` is any. */
export const origins: Kind<string[]> = listOf({
  placeholder: "ORIGIN",
  hint: "write https://app.example.com without a path, or * for any",
  read(text) {
    if (text === "*") return text;
    const origin = URL.canParse(text) ? new URL(text).origin : "null";
    if (origin === "null" || text.replace(/\/$/, "").toLowerCase() !== origin)
      throw new Misread("is not a web origin");
    return origin;
  },
});

/**
 * A URL that paths are appended to, without its trailing slashes. Credentials in it would end up in messages,
 * so they are refused; a query or fragment would end up in the middle.
 */
function readBaseUrl(text: string, schemes: readonly string[]): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.username || url?.password) throw new Misread("holds credentials", "the URL");
  if (!url || !schemes.includes(url.protocol) || !url.hostname)
    return misread(`is not a URL with ${schemesIn(schemes)}`);
  if (url.search || url.hash) misread("has a query or a fragment");
  return url.href.replace(/\/+$/, "");
}

function schemesIn(schemes: readonly string[]): string {
  return schemes.map((scheme) => `${scheme}//`).join(" or ");
}

function misread(phrase: string): never {
  throw new Misread(phrase);
}

/** True for an address that only this machine can reach. A name other than `localhost` may be anything. */
export function isLoopback(host: string): boolean {
  if (host === "localhost") return true;
  return ipaddr.isValid(host) && ipaddr.process(host).range() === "loopback";
}
