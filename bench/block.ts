const BLOCK_BYTES = 256 * 1024;

/** A block that repeats in bulk bodies: bytes that look random, the same in every process. */
export function block(): Buffer {
  const bytes = Buffer.alloc(BLOCK_BYTES);
  for (let at = 0, state = 1; at < bytes.length; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}
