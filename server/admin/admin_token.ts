import type { FieldReader } from "../../shared/received_fields.ts";
import { digest, sameDigest } from "../keys/digest.ts";

/** Decides who may see and change the relay itself. Without a token nobody may. */
export class AdminToken {
  readonly #digest: Buffer | undefined;

  constructor(token: string | undefined) {
    this.#digest = token === undefined ? undefined : digest(token);
  }

  get isSet(): boolean {
    return this.#digest !== undefined;
  }

  is(text: string): boolean {
    return this.#digest !== undefined && sameDigest(this.#digest, digest(text));
  }

  /** `Authorization: Bearer TOKEN`; the bare token too, as in ModelRelay. */
  isShown(headers: FieldReader): boolean {
    const value = headers.get("authorization");
    return value !== null && this.is(value.replace(/^Bearer +/i, "").trim());
  }
}
