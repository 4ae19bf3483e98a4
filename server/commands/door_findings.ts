import { CommandError } from "../../shared/command_line/command_error.ts";
import { type Finding, ok, problem, warning } from "../../shared/command_line/findings.ts";
import { readText } from "../../shared/command_line/read_text.ts";
import { isLoopback } from "../../shared/settings/addresses.ts";
import { wantsKeys } from "../compose.ts";
import { parseKeys } from "../keys/keys_file.ts";
import type { ServeSettings } from "../settings.ts";

/** Shorter ones can be guessed in the long run, or are words. */
const SHORTEST_SAFE_SECRET = 16;
const MAKE_ONE = "make one: openssl rand -base64 24";

/** Who comes in: clients, workers, the operator, and whom the relay believes. */
export function* doorFindings(settings: ServeSettings): Generator<Finding> {
  yield clients(settings);
  yield workers(settings);
  yield admin(settings);
  const { trustedProxies, corsOrigins } = settings;
  const anybody = trustedProxies.find((network) => network.endsWith("/0"));
  if (anybody) {
    yield warning(
      "proxies",
      `${anybody} is everybody: any client can say that it has another address`,
      "name the addresses of the proxies only",
    );
  }
  if (corsOrigins.includes("*") && !wantsKeys(settings)) {
    yield warning(
      "browsers",
      "any web page that somebody opens may use the workers, as no key is asked for",
      "name the origins in --cors-origin, or give --api-keys-file",
    );
  }
}

function clients(settings: ServeSettings): Finding {
  const { apiKeysFile, listen } = settings;
  if (apiKeysFile) return keysFile(apiKeysFile, wantsKeys(settings));
  if (isLoopback(listen.host)) return ok("clients", "need no key: whoever uses this machine");
  return warning(
    "clients",
    `need no key: whoever reaches ${listen.host} may use the workers`,
    "give --api-keys-file; `signalbox keys hash --generate` makes an entry",
  );
}

function keysFile(path: string, required: boolean): Finding {
  try {
    const { size } = parseKeys(path, readText(path));
    if (!required) {
      return warning("clients", `need no key, though ${path} has ${size}`, "leave --no-require-api-keys out");
    }
    if (size > 0) return ok("clients", `need a key: there ${size === 1 ? "is one" : `are ${size}`}`);
    return warning(
      "clients",
      `need a key, and ${path} has none`,
      `signalbox keys hash --generate --name alice >> ${path}`,
    );
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return problem("clients", error.message, error.hint);
  }
}

function workers({ workerSecrets }: ServeSettings): Finding {
  if (workerSecrets.length === 0) return ok("workers", "need no secret: whoever uses this machine");
  const shortest = Math.min(...workerSecrets.map(({ secret }) => secret.length));
  if (shortest < SHORTEST_SAFE_SECRET) {
    return warning("workers", `need a secret, which has ${shortest} characters only`, MAKE_ONE);
  }
  return ok(
    "workers",
    workerSecrets.length === 1 ? "need the secret" : `need one of ${workerSecrets.length} secrets`,
  );
}

function admin({ adminToken }: ServeSettings): Finding {
  if (adminToken === undefined) return ok("admin", "closed: there is no --admin-token-file");
  if (adminToken.length < SHORTEST_SAFE_SECRET) {
    return warning("admin", `open to a token of ${adminToken.length} characters`, MAKE_ONE);
  }
  return ok("admin", "open to the admin token");
}
