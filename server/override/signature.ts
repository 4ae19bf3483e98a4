import { createHmac, timingSafeEqual } from "node:crypto";

/**
 * A signed override: `x-provider-signature: v1;t=…;exp=…;n=…;kid=…;s=…`. An HMAC-SHA256, in lower-case hex, of what
 * the request asks for, by which an upstream that holds a key shows that it has authorised this one request.
 */

/** What is signed of a request. */
export interface SignedRequest {
  readonly method: string;
  /** Path and query, as the relay forwards them. */
  readonly target: string;
  /** The value of `x-provider-endpoint`. */
  readonly endpoint: string;
  /** The value of `x-model-provider`; "" for none. */
  readonly modelProvider: string;
}

/** Unix times in seconds. */
export interface SignatureFields {
  readonly issuedS: number;
  readonly expiresS: number;
  /** 16 to 64 characters of base64url, never used twice. */
  readonly nonce: string;
  readonly keyId: string;
}

export interface Signature extends SignatureFields {
  readonly mac: string;
}

/** How long a signature may be good for. */
export const LIFE_MAX_S = 60;

/** How far the clocks of the two may be apart. */
export const SKEW_S = 30;

/** Secrets are at least this long: those of HMAC-SHA256 have as many bytes as its digest (RFC 2104 3). */
export const SECRET_MIN_BYTES = 32;

const FORM =
  /^v1;t=(?<t>\d{1,12});exp=(?<exp>\d{1,12});n=(?<n>[\w-]{16,64});kid=(?<kid>[\w.-]{1,64});s=(?<s>[0-9a-f]{64})$/;

/** Undefined when the text is no signature of this version. */
export function parseSignature(text: string): Signature | undefined {
  const found = FORM.exec(text)?.groups;
  if (!found) return undefined;
  return {
    issuedS: Number(found.t),
    expiresS: Number(found.exp),
    nonce: found.n!,
    keyId: found.kid!,
    mac: found.s!,
  };
}

/** The header's value. */
export function sign(request: SignedRequest, fields: SignatureFields, secret: string): string {
  const { issuedS, expiresS, nonce, keyId } = fields;
  return `v1;t=${issuedS};exp=${expiresS};n=${nonce};kid=${keyId};s=${macOf(request, fields, secret).toString("hex")}`;
}

/** Compared in a time that says nothing of where the two differ. */
export function isSigned(request: SignedRequest, signature: Signature, secret: string): boolean {
  return timingSafeEqual(macOf(request, signature, secret), Buffer.from(signature.mac, "hex"));
}

/** One field a line, none of which can hold a line's end: two requests never have the same text. */
function macOf(request: SignedRequest, fields: SignatureFields, secret: string): Buffer {
  const { issuedS, expiresS, nonce, keyId } = fields;
  const { method, target, endpoint, modelProvider } = request;
  const lines = ["v1", issuedS, expiresS, nonce, keyId, method, target, endpoint, modelProvider];
  return createHmac("sha256", secret).update(lines.join("\n")).digest();
}
