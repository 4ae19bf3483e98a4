import { createHmac, randomBytes } from "node:crypto";
import { CHAT } from "./raw_client.ts";

/** An upstream that signs, written from the description of the header and not with the relay's own code. */

export interface Signed {
  secret: string;
  endpoint: string;
  kid?: string;
  method?: string;
  target?: string;
  modelProvider?: string;
  /** Seconds from now. */
  issued?: number;
  /** Seconds after it was issued. */
  life?: number;
  nonce?: string;
}

/** The value of `x-provider-signature`. */
export function signatureOf(signed: Signed): string {
  const { secret, endpoint, kid = "k1", method = "POST", target = CHAT, modelProvider = "" } = signed;
  const nonce = signed.nonce ?? randomBytes(16).toString("base64url");
  const t = Math.floor(Date.now() / 1000) + (signed.issued ?? 0);
  const exp = t + (signed.life ?? 60);
  const text = ["v1", t, exp, nonce, kid, method, target, endpoint, modelProvider].join("\n");
  const mac = createHmac("sha256", secret).update(text).digest("hex");
  return `v1;t=${t};exp=${exp};n=${nonce};kid=${kid};s=${mac}`;
}
