import { LinkProtocolError } from "../../shared/link/events.ts";
import { type MessageNamed, parseWorkerMessage } from "../../shared/link/messages.ts";
import type { Registration } from "../../shared/link/registration.ts";
import type { Capability } from "../routing/types.ts";

/** A worker's first message. @throws LinkProtocolError when it is not `register` */
export function readRegister(data: string | Uint8Array): MessageNamed<"register"> {
  const message = typeof data === "string" ? parseWorkerMessage(data) : undefined;
  if (message?.type === "register") return message;
  throw new LinkProtocolError(`The first message must be register: found ${message?.type ?? "bytes"}`);
}

/** What requests may need that a link of this form carries. */
export function capabilities(
  registration: Pick<Registration, "knowsMethod">,
  framed: boolean,
): ReadonlySet<Capability> {
  if (framed) return new Set<Capability>(["method", "binary"]);
  return new Set<Capability>(registration.knowsMethod ? ["method"] : []);
}
