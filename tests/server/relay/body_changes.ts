import { Buffer } from "node:buffer";
import type { BodyChange } from "../../../server/relay/body_change.ts";

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
export const textOf = (pieces: readonly Uint8Array[]): string => Buffer.concat(pieces).toString();

/** Text as chunks of these lengths, over and over. */
export function chunked(text: string, lengths: readonly number[]): Uint8Array[] {
  const bytes = bytesOf(text);
  const chunks: Uint8Array[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const length = lengths[turn % lengths.length]!;
    chunks.push(bytes.slice(at, at + length));
    at += length;
  }
  return chunks;
}

/** What becomes of a whole body. */
export function changed(change: BodyChange, chunks: readonly Uint8Array[]): string {
  return textOf([...chunks.flatMap((chunk) => change.data(chunk)), ...change.end()]);
}
