import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { endRelay, startRelay } from "../support/admin_view.ts";
import { type RelayProgram, WorkerProgram } from "../support/program.ts";
import { RawBackend } from "../support/raw_backend.ts";
import { ask } from "../support/raw_client.ts";
import { failureCode } from "../support/raw_client_response.ts";
import { WorkerSocket } from "../support/scripted_worker_socket.ts";

/** Clients come in by their keys, the operator by a token. */

const KEY = "sbx_a-key-of-the-tests-0123456789";
const SCOPED_KEY = "sbx_may-not-send-requests-0123456";
const folder = mkdtempSync(join(tmpdir(), "signalbox-door-"));
const keysFile = join(folder, "keys.toml");

let relay: RelayProgram;
let worker: WorkerProgram;
let backend: RawBackend;

before(async () => {
  const sha256 = createHash("sha256").update(KEY).digest("hex");
  const scoped = createHash("sha256").update(SCOPED_KEY).digest("hex");
  writeFileSync(
    keysFile,
    `[[key]]\nname = "alice"\nsha256 = "${sha256}"\n` +
      `[[key]]\nname = "bob"\nsha256 = "${scoped}"\nscopes = ["explain"]\n`,
  );
  backend = await RawBackend.start((request) => request.reply(200, request.head));
  relay = await startRelay([`--api-keys-file=${keysFile}`]);
  worker = await WorkerProgram.start(relay.url, backend.url, ["--models=m"]);
});

after(async () => {
  rmSync(folder, { recursive: true });
  await worker?.kill();
  await endRelay(relay);
  await backend?.[Symbol.asyncDispose]();
});

for (const [name, headers, code] of [
  ["no key", {}, "unauthorized"],
  ["a wrong Authorization", { authorization: "Bearer wrong" }, "invalid_api_key"],
  ["a wrong x-api-key", { "x-api-key": "wrong" }, "invalid_api_key"],
  ["a wrong api-key", { "api-key": "wrong" }, "invalid_api_key"],
  ["the key in a header that is none for keys", { "x-key": KEY }, "unauthorized"],
] as const) {
  test(`${code}: ${name}`, async () => {
    for (const request of [{ body: { model: "m" } }, { method: "GET", path: "/v1/models" }]) {
      const response = await ask(relay.port, { ...request, headers });
      assert.deepEqual([response.status, failureCode(response)], [401, code]);
      assert.equal(response.headers.get("www-authenticate"), "Bearer");
    }
    assert.equal(backend.requests.length, 0);
  });
}

for (const [name, value] of [
  ["Authorization", `Bearer ${KEY}`],
  ["x-api-key", KEY],
  ["api-key", KEY],
] as const) {
  test(`a key in ${name} opens and stays here`, async () => {
    const response = await ask(relay.port, { headers: { [name]: value }, body: { model: "m" } });
    assert.equal(response.status, 200);
    assert.ok(!response.body.includes(KEY), response.body);
    assert.doesNotMatch(response.body, /^(authorization|x-api-key|api-key):/im);
  });
}

test("forbidden: a key that is not good for requests", async () => {
  const response = await ask(relay.port, { headers: { "x-api-key": SCOPED_KEY }, body: { model: "m" } });
  assert.deepEqual([response.status, failureCode(response)], [403, "forbidden"]);
  assert.ok(!backend.requests.some(({ head }) => head.includes(SCOPED_KEY)));
});

test("another Authorization is the backend's", async () => {
  const headers = { "x-api-key": KEY, authorization: "Bearer backend-token" };
  const { body } = await ask(relay.port, { headers, body: { model: "m" } });
  assert.match(body, /^authorization: Bearer backend-token$/im);
  assert.ok(!body.includes(KEY), body);
});

test("the relay's health needs no key", async () => {
  assert.equal((await ask(relay.port, { method: "GET", path: "/health" })).status, 200);
});

for (const headers of [{}, { authorization: "Bearer wrong" }, { authorization: `Bearer ${KEY}` }]) {
  test(`admin_forbidden: ${headers.authorization ?? "no token"}`, async () => {
    const response = await ask(relay.port, { method: "GET", path: "/admin/workers", headers });
    assert.deepEqual([response.status, failureCode(response)], [403, "admin_forbidden"]);
  });
}

test("a client's key does not let a worker in", async () => {
  await using other = await startRelay([`--api-keys-file=${keysFile}`, "--worker-secret=s"]);
  const socket = await WorkerSocket.open(other.url, { headers: { "x-worker-secret": KEY } });
  assert.deepEqual(await socket.ended(), { code: 1008, reason: "worker authentication failed" });
});
