import { type ListenOptions, PortInUse } from "./ports.ts";

/** An IPv4 peer of a listener on `::`. */
const MAPPED_IPV4 = "::ffff:";

/** A peer's address as text, IPv4 always in its own form. */
export function peerAddress(address = ""): string {
  return address.startsWith(MAPPED_IPV4) ? address.slice(MAPPED_IPV4.length) : address;
}

export function portInUse({ hostname }: ListenOptions, port: number, cause: unknown): PortInUse {
  return new PortInUse(`Cannot listen on ${hostname}:${port} as the port must be free: it is in use`, {
    cause,
  });
}
