import { Http1Failure } from "./types.ts";

/** The peer did not answer in HTTP/1.1: the only thing that the parser throws beside `brokenOff`. */
export function invalidResponse(wanted: string, found: string): Http1Failure {
  return new Http1Failure("invalid", `Cannot read the response: wanted ${wanted}, found ${found}`);
}

/** The connection ended where more had to come. */
export function brokenOff(wanted: string, cause?: Error): Http1Failure {
  const message = `Cannot read the response: wanted ${wanted}, found the end of the connection`;
  return new Http1Failure("broke_off", message, { cause });
}
