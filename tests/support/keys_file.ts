import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** An `--api-keys-file`, for as long as a test: `using`. */
export class KeysFile implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "signalbox-keys-"));
  readonly path = join(this.#folder, "keys.toml");

  /**
   * `keys` by the name of their owner; `scopes` of those that have others than a key without has, `endpoints` of those
   * that are limited to some.
   */
  constructor(
    keys: Record<string, string>,
    scopes: Record<string, string[]> = {},
    endpoints: Record<string, string[]> = {},
  ) {
    const entries = Object.entries(keys).map(([name, key]) => {
      const sha256 = createHash("sha256").update(key).digest("hex");
      const good = name in scopes ? `scopes = ${JSON.stringify(scopes[name])}\n` : "";
      const limit = name in endpoints ? `override_endpoints = ${JSON.stringify(endpoints[name])}\n` : "";
      return `[[key]]\nname = ${JSON.stringify(name)}\nsha256 = "${sha256}"\n${good}${limit}`;
    });
    writeFileSync(this.path, entries.join("\n"));
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true });
  }
}
