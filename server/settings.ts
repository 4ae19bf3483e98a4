import { z } from "zod";
import { DEFAULT_RESEND_PATHS } from "../shared/resend.ts";
import { hostPort, isLoopback, networks, origins } from "../shared/settings/addresses.ts";
import { count, countOrNone, duration, durationOrNone, size } from "../shared/settings/amounts.ts";
import { processFields } from "../shared/settings/common.ts";
import { field, optionalField } from "../shared/settings/field.ts";
import { secret, workerSecrets } from "../shared/settings/secrets.ts";
import { statuses } from "../shared/settings/statuses.ts";
import { file, flag, name, paths, somePaths } from "../shared/settings/texts.ts";
import type { OverrideSettings } from "./override/override_settings.ts";
import { overrideTable } from "./override/override_table.ts";

/** With these a backend says that it cannot serve now, which another may. */
export const FALLBACK_STATUSES: readonly number[] = [429, 500, 502, 503, 504, 529];

/** Settings of `signalbox serve`. */
export const serveSettings = z
  .object({
    listen: field(hostPort, {
      group: "Listening",
      default: "127.0.0.1:8080",
      env: ["LISTEN_ADDR"],
      modelRelay: true,
      says: "Address to listen on; beyond loopback a worker secret is needed; port 0 takes a free one",
    }),
    tlsCert: optionalField(file, {
      group: "Listening",
      says: "Certificate chain, PEM; with --tls-key, serves HTTPS and is read again when it changes",
    }),
    tlsKey: optionalField(file, { group: "Listening", says: "Private key of --tls-cert, PEM" }),
    trustedProxies: field(networks, {
      group: "Listening",
      key: "trusted-proxy",
      default: "",
      says: "Networks of proxies in front whose X-Forwarded-* headers are believed",
    }),
    corsOrigins: field(origins, {
      group: "Listening",
      key: "cors-origin",
      default: "",
      says: "Web origins whose pages may call from a browser, * for any; never for /admin",
    }),
    provider: field(name, {
      group: "Workers",
      default: "local",
      env: ["PROVIDER_NAME"],
      modelRelay: true,
      says: "Provider of workers that name none",
    }),
    workerSecrets: field(workerSecrets, {
      group: "Workers",
      key: "worker-secret",
      default: "",
      env: ["WORKER_SECRET"],
      modelRelay: true,
      says: "What workers must show; several are valid at a time; in the file also [[worker_secret]] tables",
    }),
    maxWorkerHandshakes: field(count, {
      group: "Workers",
      default: "50",
      says: "Workers that may connect per second, so that a fleet that comes back does not come at once",
    }),
    absentGraceMs: field(duration, {
      group: "Workers",
      default: "60s",
      says: "How long requests wait for a model whose last worker left, before it counts as unknown",
    }),
    requireApiKeys: optionalField(flag, {
      group: "Clients",
      env: ["MODELRELAY_REQUIRE_API_KEYS"],
      modelRelay: true,
      says: "Refuse clients without an API key; on when there is an --api-keys-file",
    }),
    apiKeysFile: optionalField(file, {
      group: "Clients",
      says: "TOML file of API keys, made with `signalbox keys hash`; read again when it changes",
    }),
    adminToken: optionalField(secret, {
      group: "Clients",
      env: ["MODELRELAY_ADMIN_TOKEN"],
      modelRelay: true,
      says: "What /admin and /dashboard ask for; without it both are closed",
    }),
    dashboard: field(flag, {
      group: "Clients",
      default: "true",
      says: "Show /dashboard to who signs in with the admin token",
    }),
    allowPaths: field(somePaths, {
      group: "Clients",
      key: "allow-path",
      default: "/",
      says: "Paths that are relayed, each with everything below it; * at the end for any continuation",
    }),
    denyPaths: field(paths, {
      group: "Clients",
      key: "deny-path",
      default: "",
      says: "Paths that are not relayed, though allowed",
    }),
    stripProvider: field(flag, {
      group: "Routing",
      default: "false",
      says: "Cut the client's provider preferences out of the JSON body before it goes to a worker",
    }),
    fallbackOn: field(statuses(FALLBACK_STATUSES), {
      group: "Routing",
      default: "",
      says: `Statuses of a backend's answer on which the request goes to the next worker: ${FALLBACK_STATUSES.join(", ")}`,
    }),
    override: optionalField(overrideTable, {
      group: "Routing",
      says: "What may be named in x-provider-endpoint, and by whom; in the file an [override] table; unset, it is refused",
    }),
    maxQueueLen: field(countOrNone, {
      group: "Waiting line",
      default: "100",
      env: ["MAX_QUEUE_LEN"],
      modelRelay: true,
      says: "Requests that may wait for a worker, 0 for any number",
    }),
    maxQueueBytes: field(size, {
      group: "Waiting line",
      key: "max-queue-bytes",
      default: "64MiB",
      says: "What waiting requests may hold in memory together",
    }),
    queueTimeoutMs: field(durationOrNone, {
      group: "Waiting line",
      default: "30s",
      env: ["QUEUE_TIMEOUT_SECS"],
      modelRelay: true,
      says: "How long a request may wait for a worker, 0 for ever",
    }),
    requestTimeoutMs: field(durationOrNone, {
      group: "Time limits",
      default: "300s",
      env: ["REQUEST_TIMEOUT_SECS"],
      modelRelay: true,
      says: "From arrival to the first byte of the answer, 0 for ever",
    }),
    responseIdleTimeoutMs: field(durationOrNone, {
      group: "Time limits",
      default: "300s",
      says: "Between two pieces of an answer, 0 for ever; an answer that flows is never cut",
    }),
    uploadIdleTimeoutMs: field(durationOrNone, {
      group: "Time limits",
      default: "30s",
      says: "Between two pieces of a request body, 0 for ever",
    }),
    slowReaderTimeoutMs: field(durationOrNone, {
      group: "Time limits",
      default: "300s",
      says: "How long a client may take nothing while there is something for it, 0 for ever",
    }),
    maxBodySizeBytes: field(size, {
      group: "Size limits",
      default: "4GiB",
      says: "Longest request body",
    }),
    maxHeaderSizeBytes: field(size, {
      group: "Size limits",
      default: "16KiB",
      says: "Largest header block of a request",
    }),
    peekLimitBytes: field(size, {
      group: "Size limits",
      default: "1MiB",
      says: "How much of a body is read for routing; a longer one is routed by its headers and streamed",
    }),
    replayLimitBytes: field(size, {
      group: "Size limits",
      default: "1MiB",
      says: "How much of a body is kept to send it again; a longer one is sent once",
    }),
    resendPaths: field(paths, {
      group: "Sending again",
      default: DEFAULT_RESEND_PATHS.join(","),
      says: "POST paths, compared whole, that may go to another worker after one was lost before it answered",
    }),
    ...processFields,
  })
  .superRefine(checkTogether);

/** Settings of `signalbox serve`, read. Durations in milliseconds, sizes in bytes; "no limit" is `Infinity`. */
export type ServeSettings = z.output<typeof serveSettings>;

type Complain = {
  addIssue(issue: { code: "custom"; path: string[]; message: string; params?: object }): void;
};

/** What one setting means for another. A complaint's path is where its origin is looked up. */
function checkTogether(settings: ServeSettings, { addIssue }: Complain): void {
  const complain = (property: keyof ServeSettings, message: string, hint: string) =>
    addIssue({ code: "custom", path: [property], message, params: { hint } });
  const { listen, tlsCert, tlsKey, workerSecrets, requireApiKeys, apiKeysFile, override } = settings;
  if (tlsCert && !tlsKey) complain("tlsCert", "there is no key for it", "give --tls-key too");
  if (tlsKey && !tlsCert) complain("tlsKey", "there is no certificate for it", "give --tls-cert too");
  if (!isLoopback(listen.host) && workerSecrets.length === 0) {
    complain(
      "listen",
      `anyone who reaches ${listen.host} could connect a worker, as there is no worker secret`,
      "give --worker-secret-file, or listen on 127.0.0.1",
    );
  }
  if (requireApiKeys && !apiKeysFile) {
    complain(
      "requireApiKeys",
      "there are no keys",
      "give --api-keys-file; `signalbox keys hash` makes entries",
    );
  }
  if (override && !apiKeysFile && (override.require.includes("key") || isForNobody(override))) {
    complain(
      "override",
      "nobody could name an endpoint, as there is no API key with the scope override",
      "give --api-keys-file, or in [override] a listen address or [[override.key]] tables",
    );
  }
}

/** Neither a listener nor a signature is a way to be trusted. */
function isForNobody({ listen, keys }: OverrideSettings): boolean {
  return listen === undefined && keys.length === 0;
}
