import type { Origin } from "./types.ts";

/** Where requests to an `http:` or `https:` URL go. `caPem`: more authorities to trust. */
export function originOf({ hostname, port, protocol }: URL, caPem?: string[]): Origin {
  const secure = protocol === "https:";
  const host = hostname.replace(/^\[|\]$/g, "");
  return {
    host,
    port: Number(port) || (secure ? 443 : 80),
    ...(secure && { tls: { serverName: host, ...(caPem && { caPem }) } }),
  };
}

/** A host name, an IPv4 address, or an IPv6 address without brackets and zone. */
const HOST = /^[A-Za-z0-9._:-]+$/;

/** An origin, with what requests to it have in common. */
export class Destination {
  /** Connections with this key may serve each other's requests. */
  readonly key: string;
  /** The field `Host`; "" when the host cannot be written. */
  readonly hostLine: string;

  constructor(readonly origin: Origin) {
    this.key = originKey(origin);
    this.hostLine = hostLine(origin);
  }
}

function originKey({ host, port, tls, address }: Origin): string {
  const place = `${host} ${port} ${address ?? ""}`;
  if (!tls) return place;
  // A provider's is made for each request: JSON of all of it costs ten times as much. A host with a space cannot be
  // written.
  const secure = `${place} ${tls.serverName}`;
  return tls.caPem ? `${secure} ${JSON.stringify(tls.caPem)}` : `${secure} `;
}

/** RFC 9110 7.2: without the port that the scheme implies; the zone of an IPv6 address means nothing elsewhere. */
function hostLine({ host, port, tls }: Origin): string {
  const name = host.replace(/%.*$/, "");
  if (!HOST.test(name)) return "";
  const bracketed = name.includes(":") ? `[${name}]` : name;
  return `Host: ${bracketed}${port === (tls ? 443 : 80) ? "" : `:${port}`}\r\n`;
}
