import { DialError, type WebSocketDialOptions } from "./ports.ts";

/** What the WebSocket clients say in an error, the only place where they say it: Bun's, and `ws` on Deno. */
const REASONS: [RegExp, DialError["kind"]][] = [
  [/ENOTFOUND|EAI_AGAIN/, "resolve"],
  [/ECONNREFUSED/, "refused"],
  [/ETIMEDOUT/, "timeout"],
  [/TLS handshake failed|TLS connection|certificate|SSL routines/, "tls"],
  [/Failed to connect|connect E/, "unreachable"],
];

/** How they write the status of a refusal: "Expected 101 status code: 401", "Unexpected server response: 401". */
const REFUSAL = /(?:status code|server response): (\d{3})/;

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
