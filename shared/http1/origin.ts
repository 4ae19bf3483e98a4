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
