import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import type { Clock } from "../../shared/clock.ts";
import { fileVersion } from "../../shared/file_version.ts";
import { log } from "../../shared/log.ts";

/** Where a secret stands: exactly one of them. */
export type SecretSource =
  | { readonly file: string }
  | { readonly env: string }
  /** A name in `$CREDENTIALS_DIRECTORY`, where systemd's `LoadCredential=` puts them. */
  | { readonly credential: string };

/** A token that lives for minutes is renewed in place; a request should not wait for the disk. */
const LOOK_INTERVAL_MS = 1000;

/**
 * A secret, read again within a second of its file's change, so that short-lived tokens work. A version that is gone
 * or empty is logged and the old one stays. Only the space round it is cut off.
 *
 * @throws Error when there is none at the start
 */
export function watchSecret(source: SecretSource, clock: Clock): () => string {
  const path = pathOf(source);
  if (path === undefined) {
    const fixed = readSecret(source);
    return () => fixed;
  }
  let version = fileVersion(path);
  let secret = readSecret(source);
  let lookedMs = clock.nowMs();
  const readAgain = () => {
    lookedMs = clock.nowMs();
    const found = fileVersion(path);
    if (found === version) return;
    version = found;
    try {
      secret = readSecret(source);
    } catch (error) {
      log.error("A secret cannot be read again, the old one stays", { path, error });
    }
  };
  return () => {
    if (clock.nowMs() - lookedMs >= LOOK_INTERVAL_MS) readAgain();
    return secret;
  };
}

/** @throws Error that names the source, never what is in it */
export function readSecret(source: SecretSource): string {
  const path = pathOf(source);
  const text = path === undefined ? process.env[(source as { env: string }).env] : readFileSync(path, "utf8");
  const secret = text?.trim() ?? "";
  if (secret === "") throw new Error(`Cannot read a secret: ${named(source)} is empty or not there`);
  return secret;
}

function named(source: SecretSource): string {
  if ("env" in source) return `the variable ${source.env}`;
  return "file" in source ? source.file : `the credential ${source.credential}`;
}

function pathOf(source: SecretSource): string | undefined {
  if ("env" in source) return undefined;
  if ("file" in source) return source.file;
  return join(process.env.CREDENTIALS_DIRECTORY ?? "", source.credential);
}
