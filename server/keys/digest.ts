import { createHash, timingSafeEqual } from "node:crypto";

/** SHA-256 of a credential. What is compared is always a digest: its length and bytes tell nothing of the text. */
export function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/** Equal digests, in a time that does not depend on where they differ. */
export function sameDigest(a: Buffer, b: Buffer): boolean {
  return timingSafeEqual(a, b);
}
