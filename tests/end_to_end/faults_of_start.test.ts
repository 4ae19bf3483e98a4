import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { startRelay } from "../support/admin_view.ts";
import { KeysFile } from "../support/keys_file.ts";
import { Program, RelayProgram, runProgram } from "../support/program.ts";

/** What keeps a process from starting: one line says what is wrong, one what to do, and the exit code is 2. */

const folder = mkdtempSync(join(tmpdir(), "signalbox-start-"));

after(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const missing = join(folder, "missing");
const FAULTS: readonly [name: string, args: string[], error: RegExp][] = [
  ["an unknown flag", ["serve", "--listne=x"], /--listne/],
  ["a flag without its value", ["serve", "--listen"], /--listen/],
  ["a duration that is none", ["serve", "--queue-timeout=soon"], /--queue-timeout: "soon"/],
  ["a number that is none", ["worker", "--max-concurrency=many"], /--max-concurrency: "many"/],
  ["a label that is none", ["worker", '--labels={"zdrr":true}'], /zdrr is unknown: the nearest is zdr$/],
  [
    "a label of another type in a file",
    ["worker", `--config=${file("label.toml", '[labels.models."qwen2.5"]\nzdr = "yes"')}`],
    /labels in .*label\.toml, line 1: models\."qwen2\.5"\.zdr must be true or false: found "yes"$/,
  ],
  ["a price that is none", ["worker", "--price-prompt=cheap"], /--price-prompt: "cheap" is not a price/],
  ["an address without a port", ["serve", "--listen=here"], /--listen: "here"/],
  ["a backend that is no URL", ["worker", "--backend-url=nowhere"], /--backend-url: "nowhere"/],
  ["a relay that is no URL", ["worker", "--proxy-url=ftp://x"], /--proxy-url: /],
  ["an argument too many", ["serve", "now"], /"now"/],
  ["an unknown command", ["sevre"], /"sevre"/],
  ["a settings file that is not there", ["serve", `--config=${missing}`], /missing/],
  ["a settings file that is no TOML", ["serve", `--config=${file("bad.toml", "listen = \n")}`], /bad\.toml/],
  ["a settings file with an unknown key", ["serve", `--config=${file("key.toml", "listne = 1")}`], /listne/],
  ["a secret file that is not there", ["serve", `--worker-secret-file=${missing}`], /missing/],
  ["a keys file that is not there", ["serve", `--api-keys-file=${missing}`], /missing/],
  [
    "a keys file that is none",
    ["serve", `--api-keys-file=${file("keys.toml", "[[key]]\nname = 1")}`],
    /key 1/,
  ],
  ["a certificate without its key", ["serve", `--tls-cert=${file("cert.pem", "")}`], /--tls-cert/],
  [
    "a certificate that is none",
    ["serve", `--tls-cert=${folder}/cert.pem`, `--tls-key=${folder}/cert.pem`],
    /./,
  ],
  ["an authority file that is not there", ["worker", `--ca-file=${missing}`], /missing/],
  ["required keys without any", ["serve", "--require-api-keys"], /keys/],
  ["listening beyond loopback without a worker secret", ["serve", "--listen=0.0.0.0:0"], /0\.0\.0\.0/],
  ["listening on all addresses without one", ["serve", "--listen=[::]:0"], /::/],
];

for (const [name, args, error] of FAULTS) {
  test(`the start fails over ${name}`, async () => {
    const { exitCode, stdout, stderr } = await runProgram(args);
    const [first = "", second = "", ...rest] = stderr.split("\n");
    assert.match(first, /^signalbox: error: Cannot /);
    assert.match(first, error);
    assert.match(second, /^signalbox: hint: \S/);
    assert.deepEqual([exitCode, stdout, rest], [2, "", [""]]);
  });
}

test("the start fails over a port in use", async () => {
  await using relay = await startRelay();
  const { exitCode, stderr } = await runProgram(["serve", "--listen", `127.0.0.1:${relay.port}`]);
  assert.equal(exitCode, 2);
  assert.match(stderr, /^signalbox: error: Cannot listen .*in use.*\nsignalbox: hint: .*\n$/);
});

test("the start fails over an address that this machine does not have", async () => {
  // TEST-NET-1, RFC 5737.
  const { exitCode, stderr } = await runProgram([
    "serve",
    "--listen=192.0.2.1:0",
    "--worker-secret-file",
    secret(),
  ]);
  assert.equal(exitCode, 2);
  assert.match(
    stderr,
    /^signalbox: error: Cannot listen.* does not have that address.*\nsignalbox: hint: .*\n$/,
  );
});

test("beyond loopback with a worker secret and without client keys it starts, and warns", async () => {
  await using relay = await RelayProgram.start(["--listen", "0.0.0.0:0", "--worker-secret-file", secret()]);
  assert.match(relay.url, /^http:\/\/0\.0\.0\.0:[1-9]/);
  await relay.says(/^signalbox: warning: anyone who reaches this address may use the workers/m);
});

// There are keys, but nobody is asked for one.
test("beyond loopback with a keys file that is not asked for it warns too", async () => {
  using keys = new KeysFile({ alice: "k-alice" });
  const flags = ["--listen", "0.0.0.0:0", "--worker-secret-file", secret(), "--api-keys-file", keys.path];
  const env = { MODELRELAY_REQUIRE_API_KEYS: "false" };
  await using relay = await RelayProgram.start(flags, { env });
  await relay.says(/^signalbox: warning: anyone who reaches this address may use the workers/m);
});

test("on loopback it warns of nothing", async () => {
  await using relay = await RelayProgram.start();
  assert.equal(relay.stderr, "");
});

test("a secret in the list of processes is warned of, and never printed", async () => {
  await using relay = await RelayProgram.start(["--worker-secret=hunter2hunter2"]);
  await relay.says(/warning: --worker-secret can be seen in the list of processes/);
  assert.doesNotMatch(relay.stdout + relay.stderr, /hunter2/);
});

test("a worker without a relay says so in one line, and waits", async () => {
  await using worker = new Program([
    ...["worker", "--proxy-url=http://127.0.0.1:1", "--backend-url=http://127.0.0.1:1", "--models=m"],
  ]);
  await worker.says(/relay cannot be reached/);
  assert.doesNotMatch(worker.stderr, /\n {4}at /);
});

function secret(): string {
  return file("secret", "a-worker-secret\n");
}
