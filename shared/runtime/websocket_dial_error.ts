import { DialError, type WebSocketDialOptions } from "./ports.ts";

/** What the runtimes' WebSocket clients say in an error event, the only place where they say it. */
const REASONS: [RegExp, DialError["kind"]][] = [
  [/ENOTFOUND|dns error/, "resolve"],
  [/ECONNREFUSED/, "refused"],
  [/TLS handshake failed|certificate|received corrupt message/, "tls"],
  // Deno says no more than that for a port nobody listens on.
  [/Failed to connect|tcp connect error/, "unreachable"],
];

/** Both write the status of a refusal like this: "Expected 101 status code: 401", "Invalid status code: 401". */
const REFUSAL = /status code: (\d{3})/;

/** `text` is the runtime's own, maybe with the system's error code behind it. */
export function webSocketDialError(options: WebSocketDialOptions, text: string): DialError {
  const reason = text.replace(/^.*? (?:failed|WebSocket): /, "").trim();
  const status = REFUSAL.exec(reason)?.[1];
  if (status) {
    const refused = `${attempt(options)}: wanted 101 as the answer to an upgrade, got ${status}`;
    return new DialError("handshake", refused, { status: Number(status) });
  }
  const kind = REASONS.find(([pattern]) => pattern.test(reason))?.[1] ?? "handshake";
  return new DialError(kind, `${attempt(options)}: ${reason}`);
}

export function webSocketDialTimeout(options: WebSocketDialOptions): DialError {
  return new DialError("timeout", `${attempt(options)}: no answer within ${options.timeoutMs} ms`);
}

/** Without the query, where a worker of ModelRelay's may have its secret. */
function attempt(options: WebSocketDialOptions): string {
  const { protocol, host, pathname } = new URL(options.url);
  return `Cannot open a WebSocket to ${protocol}//${host}${pathname}`;
}
