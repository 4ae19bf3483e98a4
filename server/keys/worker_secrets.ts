import type { WorkerSecret } from "../../shared/settings/secrets.ts";
import { namesProvider } from "../routing/provider_name.ts";
import { digest, sameDigest } from "./digest.ts";

export type WorkerAdmission =
  | { readonly ok: false }
  /** `models`: it may serve these only. */
  | { readonly ok: true; readonly models?: ReadonlySet<string> };

/**
 * Decides which workers come in. Several secrets are valid at a time, so that one can be replaced while workers
 * still use the other. A client's API key is none of them: whoever may ask must not be able to answer.
 */
export class WorkerSecrets {
  readonly #entries: readonly (Omit<WorkerSecret, "secret"> & { digest: Buffer })[];

  constructor(secrets: readonly WorkerSecret[]) {
    this.#entries = secrets.map(({ secret, ...bound }) => ({ ...bound, digest: digest(secret) }));
  }

  /** Without any secret every worker comes in: the settings allow that on loopback only. */
  get open(): boolean {
    return this.#entries.length === 0;
  }

  /** Whether `secret` is good for this provider, which may be a variant of the one it is bound to. Every entry is compared, whichever matches. */
  check(secret: string | undefined, provider: string): WorkerAdmission {
    if (this.open) return { ok: true };
    const shown = digest(secret ?? "");
    const matching = this.#entries.filter((entry) => {
      const same = sameDigest(entry.digest, shown);
      return same && (entry.provider === undefined || namesProvider(entry.provider, provider));
    });
    if (secret === undefined || matching.length === 0) return { ok: false };
    if (matching.some(({ models }) => models === undefined)) return { ok: true };
    return { ok: true, models: new Set(matching.flatMap(({ models = [] }) => models)) };
  }
}
