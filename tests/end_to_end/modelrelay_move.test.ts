import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { workersOf } from "../support/admin_view.ts";
import { RelayProgram, runProgram, WorkerProgram } from "../support/program.ts";
import { RawBackend } from "../support/raw_backend.ts";
import { RawClient, requestText } from "../support/raw_client.ts";

/** What an operator of ModelRelay has in units, variables and files starts Signalbox too: `docs/modelrelay.md`. */

const folder = mkdtempSync(join(tmpdir(), "signalbox-move-"));
after(() => rmSync(folder, { recursive: true }));

/** `proxy.env` of ModelRelay's systemd unit. */
const PROXY_ENV = {
  LISTEN_ADDR: "127.0.0.1:0",
  PROVIDER_NAME: "home",
  WORKER_SECRET: "hunter,22",
  MAX_QUEUE_LEN: "0",
  QUEUE_TIMEOUT_SECS: "30",
  REQUEST_TIMEOUT_SECS: "0",
  LOG_LEVEL: "info,hyper=warn",
  MODELRELAY_ADMIN_TOKEN: "admin-token-of-the-tests",
  MODELRELAY_REQUIRE_API_KEYS: "false",
};

test("ModelRelay's variables start the relay, its worker's file and flags the worker", async () => {
  await using backend = await RawBackend.start((request) => request.reply(200, "moved"));
  await using relay = new RelayProgram(["serve", "--database-url=postgres://db"], { env: PROXY_ENV });
  relay.url = (await relay.says(/listening on (http:\/\/\S+)/))[1]!;
  assert.match(relay.stderr, /--database-url has no effect: API keys live in a file/);
  const file = join(folder, "worker.toml");
  const lines = [
    `proxy_url = "${relay.url}"`,
    'worker_secret = "hunter,22"',
    `backend_url = "${backend.url}"`,
    'models = ["llama3", "qwen"]',
    "max_concurrency = 2",
    'of_a_later_version = "ignored"',
  ];
  writeFileSync(file, lines.join("\n"));
  await using worker = new WorkerProgram([
    "worker",
    "--config",
    file,
    "--provider",
    "home",
    "--worker-name",
    "gpu",
  ]);
  await worker.says(/Registered/);
  assert.match(worker.stderr, /there is no setting "of_a_later_version".*ignored/);
  const [{ provider, worker_name, models, max_concurrent } = assert.fail()] = await workersOf(relay);
  assert.deepEqual([provider, worker_name, models, max_concurrent], ["home", "gpu", ["llama3", "qwen"], 2]);
  await using client = await RawClient.sends(relay.port, requestText({ body: { model: "qwen" } }));
  assert.equal((await client.response()).body, "moved");
});

const REFUSALS: [name: string, env: Record<string, string>, says: RegExp][] = [
  ["required keys without a file", { MODELRELAY_REQUIRE_API_KEYS: "true" }, /give --api-keys-file/],
  ["an open address without a secret", { LISTEN_ADDR: "0.0.0.0:0" }, /there is no worker secret/],
];

test("what cannot be taken over is refused with the reason", async () => {
  for (const [name, env, says] of REFUSALS) {
    const { exitCode, stderr } = await runProgram(["serve"], { env });
    assert.equal(exitCode, 2, name);
    assert.match(stderr, says, name);
  }
});
