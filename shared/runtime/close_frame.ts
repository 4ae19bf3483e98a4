/** A control frame holds 125 bytes, two of them the code (RFC 6455 5.5). */
const MAX_REASON_BYTES = 123;

/** Codes that stand for an ending without a close frame, so none may be sent (RFC 6455 7.4.1). */
const NO_HANDSHAKE: ReadonlySet<number> = new Set([1006, 1015]);

/** Whether closing with `code` means dropping the connection, as the peer of a relayed socket dropped its own. */
export function isAbrupt(code: number): boolean {
  return NO_HANDSHAKE.has(code);
}

/** `reason` cut at a character to what a close frame can carry. */
export function closeReason(reason: string): string {
  const bytes = new TextEncoder().encode(reason);
  if (bytes.length <= MAX_REASON_BYTES) return reason;
  // A character that was cut in two decodes to U+FFFD; `stream` leaves it out instead.
  return new TextDecoder().decode(bytes.subarray(0, MAX_REASON_BYTES), { stream: true });
}
