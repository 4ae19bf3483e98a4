import { Buffer } from "node:buffer";

/** Chunks as one, without copying when there is one. */
export function joined(chunks: readonly Uint8Array[]): Uint8Array {
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
}
