/** A control frame holds 125 bytes, two of them the code (RFC 6455 5.5). */
const MAX_REASON_BYTES = 123;

/**
 * Whether a close with `code` drops the connection: no close frame may carry the code (RFC 6455 7.4), so it stands
 * for an ending without one, like 1006. 1005 is none of them: a close frame without a code.
 */
export function isAbrupt(code: number): boolean {
  const named = code >= 1000 && code <= 1014 && code !== 1004 && code !== 1006;
  return !named && !(code >= 3000 && code <= 4999);
}

/** What the WebSockets of both runtimes have in common. */
interface Closable {
  close(code?: number, reason?: string): void;
  terminate(): void;
}

/** Close with `code`, as far as there is a close frame for it; 1005 is one without a code. */
export function closeSocket(ws: Closable, code: number, reason: string): void {
  if (isAbrupt(code)) ws.terminate();
  else if (code === 1005) ws.close();
  else ws.close(code, closeReason(reason));
}

/** `reason` cut at a character to what a close frame can carry. */
export function closeReason(reason: string): string {
  const bytes = new TextEncoder().encode(reason);
  if (bytes.length <= MAX_REASON_BYTES) return reason;
  // A character that was cut in two decodes to U+FFFD; `stream` leaves it out instead.
  return new TextDecoder().decode(bytes.subarray(0, MAX_REASON_BYTES), { stream: true });
}
