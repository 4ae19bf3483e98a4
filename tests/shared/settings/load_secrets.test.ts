import assert from "node:assert/strict";
import { test } from "node:test";
import { complaint, serve, type Written, worker } from "./written.ts";

test("a secret comes from a flag, a variable, a file named by either, a credential, or the settings file", () => {
  const files = {
    "/run/x": "from-file\n",
    "/creds/worker-secret": "from-cred\n",
    "/etc/w.toml": 'worker_secret_file = "x"',
    "/etc/x": "toml",
  };
  const secretOf = (written: Written) => {
    const { settings, origins } = worker({ files, ...written });
    return [settings.workerSecret, origins.get("workerSecret")?.label];
  };
  assert.deepEqual(secretOf({ flags: { "worker-secret": "f" } }), ["f", "--worker-secret"]);
  assert.deepEqual(secretOf({ env: { WORKER_SECRET: "e" } }), ["e", "WORKER_SECRET"]);
  const fromFile = ["from-file", "--worker-secret-file (/run/x)"];
  assert.deepEqual(
    secretOf({ flags: { "worker-secret-file": "/run/x" }, env: { WORKER_SECRET: "e" } }),
    fromFile,
  );
  assert.deepEqual(secretOf({ env: { WORKER_SECRET_FILE: "/run/x" } }), [
    "from-file",
    "WORKER_SECRET_FILE (/run/x)",
  ]);
  const credentials = { CREDENTIALS_DIRECTORY: "/creds" };
  const label = "$CREDENTIALS_DIRECTORY/worker-secret (/creds/worker-secret)";
  assert.deepEqual(secretOf({ env: credentials, flags: { config: "/etc/w.toml" } }), ["from-cred", label]);
  assert.deepEqual(secretOf({ env: { CREDENTIALS_DIRECTORY: "/empty" } }), [undefined, "default"]);
  assert.deepEqual(secretOf({ flags: { config: "/etc/w.toml" } }), [
    "toml",
    "worker_secret_file in /etc/w.toml (/etc/x)",
  ]);
});

test("a secret and its file together are an error, and so is a file that cannot be read", () => {
  const both = { "worker-secret": "a", "worker-secret-file": "/x" };
  assert.match(
    complaint(() => worker({ flags: both }))[0],
    /--worker-secret and --worker-secret-file together/,
  );
  const env = { WORKER_SECRET: "a", WORKER_SECRET_FILE: "/x" };
  assert.match(complaint(() => worker({ env }))[0], /WORKER_SECRET and WORKER_SECRET_FILE together/);
  assert.match(complaint(() => worker({ flags: { "worker-secret-file": "/x" } }))[0], /no such file/);
  const files = { "/x": "one\ntwo\n", "/empty": "\n" };
  assert.match(
    complaint(() => worker({ flags: { "worker-secret-file": "/x" }, files }))[0],
    /a header cannot carry/,
  );
  assert.match(
    complaint(() => worker({ flags: { "worker-secret-file": "/empty" }, files }))[0],
    /the value is empty/,
  );
  // For the relay an empty file must not mean: no secret, everybody may come in.
  assert.match(
    complaint(() => serve({ flags: { "worker-secret-file": "/empty" }, files }))[0],
    /the value is empty/,
  );
});

test("an empty secret is refused, wherever it stands", () => {
  const files = { "s.toml": 'worker_secret = ""', "t.toml": '[[worker_secret]]\nsecret = ""' };
  assert.match(complaint(() => serve({ flags: { "worker-secret": "" } }))[0], /the value is empty/);
  for (const config of Object.keys(files)) {
    assert.match(complaint(() => serve({ flags: { config }, files }))[0], /the value is empty/);
  }
});

test("only a secret in a flag warns", () => {
  assert.match(
    serve({ flags: { "admin-token": "hunter22" } }).warnings[0] ?? "",
    /^--admin-token can be seen/,
  );
  assert.deepEqual(serve({ env: { MODELRELAY_ADMIN_TOKEN: "hunter22" } }).warnings, []);
});

test("serve takes several worker secrets: by flags, lines of a file, or tables bound to providers and models", () => {
  const files = {
    "/etc/s.toml": `[[worker_secret]]\nsecret = "one"\n[[worker_secret]]\nsecret_file = "two"\nprovider = "p"\nmodels = ["m"]\n`,
    "/etc/two": "second\n",
  };
  const secrets = (written: Written) => serve({ files, ...written }).settings.workerSecrets;
  assert.deepEqual(secrets({ flags: { "worker-secret": ["a,b", "c"] } }), [
    { secret: "a,b" },
    { secret: "c" },
  ]);
  assert.deepEqual(secrets({ flags: { "worker-secret-file": "/two" }, files: { "/two": "x\n\ny\n" } }), [
    { secret: "x" },
    { secret: "y" },
  ]);
  assert.deepEqual(secrets({ flags: { config: "/etc/s.toml" } }), [
    { secret: "one" },
    { secret: "second", provider: "p", models: ["m"] },
  ]);
});
