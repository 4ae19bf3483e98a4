/** Of each: a head, and the body that most calls of a model have. */
const SPARE_LENGTH = 4096;
/** As many requests as come in one read of a busy link. */
const SPARE_MAX = 32;

const spare: ArrayBufferLike[] = [];

/**
 * Bytes that are written and over within the turn: with an array of its own for each request, making it costs more than
 * filling it. What they hold is what somebody left there: fill them all.
 */
export function takeBytes(length: number): Uint8Array {
  if (length > SPARE_LENGTH) return new Uint8Array(length);
  return new Uint8Array(spare.pop() ?? new ArrayBuffer(SPARE_LENGTH), 0, length);
}

/** Nobody looks at these any more. */
export function giveBackBytes({ buffer }: Uint8Array): void {
  if (buffer.byteLength === SPARE_LENGTH && spare.length < SPARE_MAX) spare.push(buffer);
}
