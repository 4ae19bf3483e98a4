import assert from "node:assert/strict";
import { test } from "node:test";
import { serveSettings } from "../../../server/settings.ts";
import { printSettings } from "../../../shared/settings/print.ts";
import { complaint, serve, type Written, worker } from "./written.ts";

test("a flag beats a variable, a variable the file, the file the default", () => {
  const files = { "/etc/s.toml": 'queue_timeout = "4s"' };
  const everywhere: Written = {
    flags: { "queue-timeout": "1s", config: "/etc/s.toml" },
    env: { SIGNALBOX_QUEUE_TIMEOUT: "2s", QUEUE_TIMEOUT_SECS: "3" },
    files,
  };
  const expected = [
    [1000, "--queue-timeout"],
    [2000, "SIGNALBOX_QUEUE_TIMEOUT"],
    [3000, "QUEUE_TIMEOUT_SECS"],
    [4000, "queue_timeout in /etc/s.toml"],
    [30_000, "default"],
  ];
  const weaken = [
    () => {},
    () => delete everywhere.flags?.["queue-timeout"],
    () => delete everywhere.env?.SIGNALBOX_QUEUE_TIMEOUT,
    () => delete everywhere.env?.QUEUE_TIMEOUT_SECS,
    () => delete everywhere.flags?.config,
  ];
  const found = weaken.map((take) => {
    take();
    const { settings, origins } = serve(everywhere);
    return [settings.queueTimeoutMs, origins.get("queueTimeoutMs")?.label];
  });
  assert.deepEqual(found, expected);
});

test("every file is found by SIGNALBOX_CONFIG too, and the flag is stronger", () => {
  const files = { "/a.toml": 'provider = "a"', "/b.toml": 'provider = "b"' };
  assert.equal(serve({ env: { SIGNALBOX_CONFIG: "/a.toml" }, files }).settings.provider, "a");
  const both = serve({ env: { SIGNALBOX_CONFIG: "/a.toml" }, flags: { config: "/b.toml" }, files });
  assert.equal(both.settings.provider, "b");
});

test("an empty variable counts as not set, but for on/off settings", () => {
  const env = {
    SIGNALBOX_LISTEN: "",
    LISTEN_ADDR: "127.0.0.1:1",
    WORKER_SECRET: "",
    MODELS: "",
    SIGNALBOX_CONFIG: "",
  };
  assert.equal(serve({ env }).settings.listen.port, 1);
  assert.deepEqual(serve({ env }).settings.workerSecrets, []);
  assert.deepEqual(worker({ env }).settings.models, ["*"]);
  assert.deepEqual(
    complaint(() => serve({ env: { MODELRELAY_REQUIRE_API_KEYS: "" } })),
    ['Cannot read MODELRELAY_REQUIRE_API_KEYS: "" is neither true nor false', "write true or false"],
  );
});

test("RUST_LOG is stronger than LOG_LEVEL, and only its part without a target counts", () => {
  const level = (env: Record<string, string>) => worker({ env }).settings.logLevel;
  assert.equal(level({ LOG_LEVEL: "warn" }), "warn");
  assert.equal(level({ LOG_LEVEL: "warn", RUST_LOG: "hyper=trace,DEBUG" }), "debug");
  assert.equal(level({ LOG_LEVEL: "warn", RUST_LOG: "hyper=trace" }), "warn");
  assert.equal(level({ RUST_LOG: "modelrelay_worker=debug" }), "info");
  assert.equal(level({ RUST_LOG: "debug", SIGNALBOX_LOG_LEVEL: "error" }), "error");
});

test("a value that cannot be read is named as it was written", () => {
  const files = { "s.toml": 'max_body_size = "big"', "t.toml": "listen = 8080\n" };
  const hint = "write 500KB, 64MiB or 4GiB; a bare number is bytes";
  assert.deepEqual(
    complaint(() => serve({ flags: { config: "s.toml" }, files })),
    ['Cannot read max_body_size in s.toml, line 1: "big" is not a size', hint],
  );
  assert.deepEqual(
    complaint(() => serve({ env: { SIGNALBOX_PEEK_LIMIT: "x" } })),
    ['Cannot read SIGNALBOX_PEEK_LIMIT: "x" is not a size', hint],
  );
  assert.equal(
    complaint(() => serve({ flags: { config: "t.toml" }, files }))[0],
    "Cannot read listen in t.toml, line 1: 8080 is not an address with a port",
  );
});

test("a file that is no TOML is an error with its line, without showing what stands there", () => {
  const files = { "s.toml": 'provider = "a"\nworker_secret = hunter2hunter2\n' };
  const [message] = complaint(() => serve({ flags: { config: "s.toml" }, files }));
  assert.match(message, /^Cannot read s\.toml: line 2, column \d+: /);
  assert.doesNotMatch(message, /hunter2/);
});

test("an unknown key of the file is an error that names the nearest", () => {
  const read = (text: string) =>
    complaint(() => serve({ flags: { config: "s.toml" }, files: { "s.toml": text } }));
  assert.deepEqual(read("queue_timout = 3"), [
    'Cannot read s.toml: line 1: there is no setting "queue_timout"',
    "the nearest is queue_timeout",
  ]);
  assert.deepEqual(read("queue-timeout = 3")[1], "the nearest is queue_timeout");
  assert.deepEqual(read("xyz = 3")[1], "--help lists the settings; in a file write _ for -");
  // ModelRelay's server has no file: this one is ours, whatever keys it has.
  assert.match(read('provider = "a"\nxyz = 3')[0], /"xyz"/);
});

test("unknown keys warn in a worker's file that carries only ModelRelay's keys", () => {
  const read = (text: string) => worker({ flags: { config: "w.toml" }, files: { "w.toml": text } });
  const own = 'proxy_url = "http://relay:1"\nmodels = ["a", "b,c"]\nmax_concurrency = 4\n';
  const { settings, warnings } = read(`${own}max_concurency = 9\n`);
  assert.deepEqual(
    [settings.proxyUrls, settings.models, settings.maxConcurrency],
    [["http://relay:1"], ["a", "b,c"], 4],
  );
  assert.deepEqual(warnings, [
    'w.toml: there is no setting "max_concurency", the nearest is max_concurrency; ignored',
  ]);
  assert.match(complaint(() => read(`${own}drain_timeout = 1\nmax_concurency = 9`))[0], /"max_concurency"/);
  assert.match(complaint(() => read("max_concurency = 9"))[0], /"max_concurency"/);
});

test("a misspelt SIGNALBOX_ variable warns; one of another command does not", () => {
  const env = {
    SIGNALBOX_QUEUE_TIMOUT: "3s",
    SIGNALBOX_BACKEND_URL: "http://b",
    SIGNALBOX_WORKER_SECRET_FILE: "",
  };
  assert.deepEqual(serve({ env }).warnings, [
    "there is no setting SIGNALBOX_QUEUE_TIMOUT, the nearest is SIGNALBOX_QUEUE_TIMEOUT; ignored",
  ]);
});

test("paths in a file start from its folder", () => {
  const files = { "/etc/s/s.toml": 'api_keys_file = "keys.toml"' };
  const { settings } = serve({ flags: { config: "/etc/s/s.toml" }, files });
  assert.equal(settings.apiKeysFile, "/etc/s/keys.toml");
});

test("settings that do not go together are refused", () => {
  const refusal = (flags: Record<string, string>) => complaint(() => serve({ flags }));
  assert.match(
    refusal({ listen: "0.0.0.0:80" })[0],
    /^Cannot use --listen: anyone who reaches 0\.0\.0\.0 could/,
  );
  assert.match(refusal({ listen: "example.com:80" })[0], /no worker secret/);
  assert.match(refusal({ "tls-cert": "c" })[0], /^Cannot use --tls-cert: there is no key/);
  assert.match(refusal({ "tls-key": "c" })[0], /^Cannot use --tls-key: there is no certificate/);
  assert.match(
    refusal({ "require-api-keys": "true" })[0],
    /^Cannot use --require-api-keys: there are no keys/,
  );
  assert.doesNotThrow(() => serve({ flags: { listen: "0.0.0.0:80", "worker-secret": "s" } }));
  assert.doesNotThrow(() => serve({ flags: { listen: "[::1]:80" } }));
});

test("what printSettings() prints gives the same settings again, without the secrets", () => {
  const flags = {
    listen: "[::1]:1",
    "worker-secret": "hunter22",
    "request-timeout": "0",
    "max-queue-len": "0",
    "cors-origin": "https://a.example,*",
    "no-such": "",
  };
  const loaded = serve({ flags });
  const text = printSettings(serveSettings, loaded);
  assert.doesNotMatch(text, /hunter22/);
  assert.match(text, /^request_timeout = "0" +# --request-timeout$/m);
  const again = serve({ flags: { config: "p.toml" }, files: { "p.toml": text } }).settings;
  assert.deepEqual({ ...again, workerSecrets: loaded.settings.workerSecrets }, loaded.settings);
});
