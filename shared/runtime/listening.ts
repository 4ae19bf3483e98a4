import { chmodSync, lstatSync, unlinkSync } from "node:fs";
import { connect } from "node:net";
import { type ListenOptions, PortInUse } from "./ports.ts";

/** An IPv4 peer of a listener on `::`. */
const MAPPED_IPV4 = "::ffff:";

/** A peer's address as text, IPv4 always in its own form. */
export function peerAddress(address = ""): string {
  return address.startsWith(MAPPED_IPV4) ? address.slice(MAPPED_IPV4.length) : address;
}

export function portInUse({ unix, hostname }: ListenOptions, port: number, cause: unknown): PortInUse {
  const where = unix ?? `${hostname}:${port}`;
  return new PortInUse(`Cannot listen on ${where} as the port must be free: it is in use`, {
    cause,
  });
}

/** A process that was killed leaves its socket behind, and nobody could listen there again. */
export async function removeAbandoned(path: string): Promise<void> {
  const isSocket = lstatSync(path, { throwIfNoEntry: false })?.isSocket() ?? false;
  if (isSocket && !(await isListenedOn(path))) unlinkSync(path);
}

function isListenedOn(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const end = (listening: boolean) => {
      socket.destroy();
      resolve(listening);
    };
    socket.once("connect", () => end(true));
    socket.once("error", () => end(false));
  });
}

/** Whoever may write to the socket may connect: the owner and the group, not everybody. */
export function keepToGroup(path: string): void {
  chmodSync(path, 0o660);
}
