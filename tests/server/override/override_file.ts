import assert from "node:assert/strict";
import { resolve } from "node:path";
import type { Written } from "../../shared/settings/written.ts";

/** A settings file with all that [override] may have. */
export const FILE = `api_keys_file = "keys.toml"

[override]
listen = "unix:override.sock"
resolver = "127.0.0.1:5353"
require = ["listener", "signature"]

[[override.endpoint]]
name = "oci-dac"
patterns = ["https://inference.generativeai.*.oci.oraclecloud.com/20240101/**"]
provider = "oci"
credential = "passthrough"
join = true
allow_private = ["10.0.0.0/8", "fd00::1"]

[[override.endpoint]]
name = "vertex"
patterns = [
  "https://{region}-aiplatform.googleapis.com/v1/locations/{region}/models/*",
  "https://{region}-aiplatform.googleapis.com/v1/locations/{region}/models/*?alt=sse",
]
credential = "secret"
secret = { file = "vertex-token" }

[[override.key]]
id = "k1"
secret = { env = "SIGNING" }
endpoints = ["vertex"]

[[override.key]]
id = "k2"
secret = { credential = "signing" }
`;

export const SIGNING = "s".repeat(32);
/** A file beside it. */
export const at = (name: string) => resolve("etc", name);
/** The file and what it names. */
export const THERE: Written = {
  flags: { config: "etc/relay.toml" },
  env: { SIGNING, CREDENTIALS_DIRECTORY: "/run/c" },
  files: { "etc/relay.toml": FILE, [at("vertex-token")]: "Bearer abc\n", "/run/c/signing": `${SIGNING}\n` },
};

/** Settings of a file with these changes. */
export function written(from: string | RegExp, to: string, rest: Partial<Written> = {}): Written {
  const text = FILE.replace(from, to);
  assert.notEqual(text, FILE, `there is no ${from}`);
  return { ...THERE, ...rest, files: { ...THERE.files, ...rest.files, "etc/relay.toml": text } };
}
