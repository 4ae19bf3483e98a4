import { RelayFailure } from "../../shared/failures.ts";
import { digest, sameDigest } from "../keys/digest.ts";

/** Decides who may see and change the relay itself. Without a token nobody may. */
export class AdminToken {
  readonly #digest: Buffer | undefined;

  constructor(token: string | undefined) {
    this.#digest = token === undefined ? undefined : digest(token);
  }

  /** `Authorization: Bearer TOKEN`; the bare token too, as in ModelRelay. */
  isShown(headers: Headers): boolean {
    const value = headers.get("authorization");
    if (!this.#digest || value === null) return false;
    return sameDigest(this.#digest, digest(value.replace(/^Bearer +/i, "").trim()));
  }

  /** @throws RelayFailure `admin_forbidden` */
  require(headers: Headers): void {
    if (!this.isShown(headers)) throw new RelayFailure("admin_forbidden");
  }
}
