import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { serveSettings } from "../../../server/settings.ts";
import { describe, type SettingsSchema } from "../../../shared/settings/describe.ts";
import { workerSettings } from "../../../worker/settings.ts";

/** ModelRelay 0.2.7's flags, variables and (worker) keys, with a value and what we read. */
const SERVER: [flag: string, variable: string, text: string, property: string, value: unknown][] = [
  ["--listen", "LISTEN_ADDR", "0.0.0.0:8080", "listen", { host: "0.0.0.0", port: 8080 }],
  ["--provider", "PROVIDER_NAME", "local", "provider", "local"],
  ["--worker-secret", "WORKER_SECRET", "hunter,22", "workerSecrets", [{ secret: "hunter,22" }]],
  ["--max-queue-len", "MAX_QUEUE_LEN", "0", "maxQueueLen", Number.POSITIVE_INFINITY],
  ["--queue-timeout", "QUEUE_TIMEOUT_SECS", "30", "queueTimeoutMs", 30_000],
  ["--request-timeout", "REQUEST_TIMEOUT_SECS", "0", "requestTimeoutMs", Number.POSITIVE_INFINITY],
  ["--log-level", "LOG_LEVEL", "info", "logLevel", "info"],
  ["--log-level", "RUST_LOG", "info", "logLevel", "info"],
  ["--admin-token", "MODELRELAY_ADMIN_TOKEN", "secret", "adminToken", "secret"],
  ["--require-api-keys", "MODELRELAY_REQUIRE_API_KEYS", "false", "requireApiKeys", false],
];
const WORKER: typeof SERVER = [
  ["--proxy-url", "PROXY_URL", "http://127.0.0.1:8080", "proxyUrls", ["http://127.0.0.1:8080"]],
  ["--provider", "PROVIDER_NAME", "local", "provider", "local"],
  ["--worker-secret", "WORKER_SECRET", "hunter,22", "workerSecret", "hunter,22"],
  ["--worker-name", "WORKER_NAME", "worker", "workerName", "worker"],
  ["--models", "MODELS", "llama3, qwen,", "models", ["llama3", "qwen"]],
  ["--max-concurrency", "MAX_CONCURRENCY", "1", "maxConcurrency", 1],
  ["--backend-url", "BACKEND_URL", "http://127.0.0.1:8000", "backendUrl", "http://127.0.0.1:8000"],
  ["--log-level", "LOG_LEVEL", "info", "logLevel", "info"],
  ["--endpoint-prefixes", "ENDPOINT_PREFIXES", "/v1,/api", "endpointPrefixes", ["/v1", "/api"]],
];

const SIDES: [SettingsSchema, typeof SERVER][] = [
  [serveSettings, SERVER],
  [workerSettings, WORKER],
];

test("every name of ModelRelay is taken, and marked as its own", () => {
  for (const [schema, rows] of SIDES) {
    const settings = describe(schema);
    for (const [flag, variable, text, property, value] of rows) {
      const setting = settings.find((candidate) => candidate.property === property);
      assert.equal(setting?.flag, flag);
      assert.ok(setting.variables.includes(variable), variable);
      assert.equal(setting.tomlKey, flag.slice(2).replaceAll("-", "_"));
      assert.deepEqual(z.decode(setting.kind.codec, text), value, variable);
    }
    const marked = settings.filter(({ modelRelay }) => modelRelay).map(({ flag }) => flag);
    assert.deepEqual(new Set(marked), new Set(rows.map(([flag]) => flag)));
  }
});

test("ModelRelay's defaults are ours, but for the backend, which is looked for, and the models: * asks it", () => {
  const { listen, provider, maxQueueLen, queueTimeoutMs, requestTimeoutMs } = serveSettings.parse({});
  assert.deepEqual(
    [listen, provider, maxQueueLen, queueTimeoutMs, requestTimeoutMs],
    [{ host: "127.0.0.1", port: 8080 }, "local", 100, 30_000, 300_000],
  );
  const { proxyUrls, workerName, models, maxConcurrency, backendUrl } = workerSettings.parse({});
  assert.deepEqual(
    [proxyUrls, workerName, models, maxConcurrency, backendUrl],
    [["http://127.0.0.1:8080"], "worker", ["*"], 1, undefined],
  );
});
