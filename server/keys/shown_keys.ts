import { digest } from "./digest.ts";
import type { ClientKey, ClientKeyMap } from "./keys_file.ts";

/** Longer texts are no key of ours and not worth hashing. */
const LONGEST_KEY = 1024;

/** `Bearer` and blanks can be written in many ways: so many of them are remembered, and none that is long. */
const REMEMBERED_MAX = 1024;
const LONGEST_REMEMBERED = 256;

/**
 * Finds the key that a header's value shows, by its digest, so that no comparison tells how near a guess was. What
 * showed one is remembered until the keys change: a digest costs more than everything else that lets a client in. Only a
 * guess that has the hash of a right text in the map is ever compared with it, and that hash takes in all of the text.
 */
export class ShownKeys {
  #keys: ClientKeyMap | undefined;
  readonly #remembered = new Map<string, ClientKey>();

  get remembered(): number {
    return this.#remembered.size;
  }

  /** `keys`: those of this moment. */
  find(value: string, keys: ClientKeyMap): ClientKey | undefined {
    if (keys !== this.#keys) {
      this.#remembered.clear();
      this.#keys = keys;
    }
    return this.#remembered.get(value) ?? this.#findByDigest(value, keys);
  }

  #findByDigest(value: string, keys: ClientKeyMap): ClientKey | undefined {
    const key = keys.get(hashOf(value));
    if (!key || value.length > LONGEST_REMEMBERED) return key;
    if (this.#remembered.size >= REMEMBERED_MAX) this.#remembered.clear();
    this.#remembered.set(value, key);
    return key;
  }
}

/** `Bearer` may be left out, as in ModelRelay. */
function hashOf(value: string): string {
  const text = value.replace(/^Bearer +/i, "").trim();
  return text.length > LONGEST_KEY ? "" : digest(text).toString("hex");
}
