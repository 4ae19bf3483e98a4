import ipaddr from "ipaddr.js";
import type { FieldReader } from "../shared/received_fields.ts";

/** Whether a peer is in one of the networks (CIDR). IPv4 addresses that arrive as IPv6 (`::ffff:…`) count as IPv4. */
export function trustedProxies(networks: readonly string[]): (peer: string) => boolean {
  if (networks.length === 0) return () => false;
  const ranges = networks.map((network) => ipaddr.parseCIDR(network));
  return (peer) => {
    if (!ipaddr.isValid(peer)) return false;
    const address = ipaddr.process(peer);
    return ranges.some((range) => range[0].kind() === address.kind() && address.match(range));
  };
}

/** The address that counts for a client: its peer's, or behind proxies of ours the nearest that is none of them. */
export function clientAddress(
  peer: string,
  headers: FieldReader,
  isTrustedProxy: (peer: string) => boolean,
): string {
  if (!isTrustedProxy(peer)) return peer;
  const chain = (headers.get("x-forwarded-for") ?? "").split(",").map((hop) => withoutPort(hop.trim()));
  return chain.findLast((address) => address !== "" && !isTrustedProxy(address)) ?? peer;
}

/** Some proxies write `192.0.2.1:4711` and `[2001:db8::1]:4711`: who comes by another port is nobody else. */
function withoutPort(hop: string): string {
  const [, v6, v4] = /^(?:\[(.*)\](?::\d+)?|([\d.]+):\d+)$/.exec(hop) ?? [];
  return v6 ?? v4 ?? hop;
}
