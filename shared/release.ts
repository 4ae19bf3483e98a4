// https://tc39.es/ecma262/#sec-arraybuffer.prototype.transfer

/** Smaller buffers are left to the collector: there are many of them, and they are not what fills the memory. */
export const LARGE_BYTES = 16 * 1024;

/**
 * Nobody looks at these bytes any more: their memory is free at once, for the next that arrive. Each read and each
 * message is a new buffer, and a collector that comes when it likes leaves tens of megabytes of them behind a gigabyte
 * (bench/bulk.ts). Every view of them is empty afterwards. A part of a larger buffer is left alone: the rest is not ours.
 */
export function release(bytes: Uint8Array): void {
  if (bytes.length < LARGE_BYTES) return;
  const buffer = bytes.buffer as ArrayBuffer;
  if (buffer.byteLength === bytes.length) buffer.transfer(0);
}
