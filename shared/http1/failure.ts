import { DialError } from "../runtime/ports.ts";
import { Http1Failure, type Origin } from "./types.ts";

/** The peer did not answer in HTTP/1.1: the only thing that the parser throws beside `brokenOff`. */
export function invalidResponse(wanted: string, found: string): Http1Failure {
  return new Http1Failure("invalid", `Cannot read the response: wanted ${wanted}, found ${found}`);
}

/** The connection ended where more had to come. */
export function brokenOff(wanted: string, cause?: Error): Http1Failure {
  const message = `Cannot read the response: wanted ${wanted}, found the end of the connection`;
  return new Http1Failure("broke_off", message, { cause });
}

/** There is no connection. */
export function dialFailure({ host, port }: Origin, cause: unknown): Http1Failure {
  const timeout = cause instanceof DialError && cause.kind === "timeout";
  // Who dials says that it did.
  const told = cause instanceof DialError ? cause.message : undefined;
  const message =
    told ?? `Cannot connect to ${host}:${port}: ${cause instanceof Error ? cause.message : cause}`;
  if (timeout) return new Http1Failure("timeout", message, { cause, during: "connect" });
  return new Http1Failure("unreachable", message, { cause });
}

/** Nothing came for too long. */
export function timedOut(during: "first_byte" | "body"): Http1Failure {
  const wanted = during === "first_byte" ? "a response" : "more of its body";
  return new Http1Failure("timeout", `Cannot read the response: wanted ${wanted} in time, found nothing`, {
    during,
  });
}
