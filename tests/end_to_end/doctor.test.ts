import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ADMIN_TOKEN, workersOf } from "../support/admin_view.ts";
import { canMakeCertificates, makeCertificates } from "../support/certificates.ts";
import { EchoBackend } from "../support/echo_backend.ts";
import { RustServer } from "../support/modelrelay/rust_server.ts";
import { RelayProgram, runProgram } from "../support/program.ts";

/** `signalbox doctor` finds what is there: real relays, backends, certificates. */

interface Report {
  exitCode: number;
  /** Level and text of each finding, by its check. */
  of(check: string): [level: string, found: string, hint?: string][];
}

const SECRET = "the secret of the workers";
const folder = mkdtempSync(join(tmpdir(), "signalbox-doctor-"));
let backend: EchoBackend;
let relay: RelayProgram;

before(async () => {
  backend = await EchoBackend.start();
  const list = JSON.stringify({ data: [{ id: "llama3" }, { id: "qwen3" }] });
  backend.on("/v1/models", (_request, response) => void response.end(list));
  backend.on("/props", (_request, response) => void response.end('{"total_slots":4}'));
  relay = await RelayProgram.start(["--worker-secret", SECRET, "--admin-token", ADMIN_TOKEN]);
});

after(async () => {
  await relay?.[Symbol.asyncDispose]();
  await backend?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

async function doctor(...args: string[]): Promise<Report> {
  const { exitCode, stdout } = await runProgram(["doctor", ...args, "--json"]);
  const { findings } = JSON.parse(stdout) as { findings: Record<string, string>[] };
  return {
    exitCode,
    of: (check) =>
      findings
        .filter((finding) => finding.check === check)
        .map(({ level, found, hint }) => (hint === undefined ? [level!, found!] : [level!, found!, hint])),
  };
}

function worker(...flags: string[]): Promise<Report> {
  const urls = ["--proxy-url", relay.url, "--backend-url", backend.url];
  return doctor("worker", ...urls, "--worker-secret", SECRET, ...flags);
}

test("a worker that would serve: every step to the backend and to the relay", async () => {
  const { exitCode, of } = await worker("--max-concurrency", "4", "--endpoint-prefixes", "/v1");
  assert.equal(exitCode, 0);
  assert.match(of("backend")[0]![1], /^http:\/\/127\.0\.0\.1:\d+ answers in \d+ ms$/);
  assert.deepEqual(of("models"), [["ok", "llama3, qwen3"]]);
  assert.deepEqual(of("prefixes"), [["ok", "/v1"]]);
  assert.deepEqual(of("slots"), [["ok", "4 at a time, as many as the backend has"]]);
  assert.match(of("relay")[0]![1], /^127\.0\.0\.1:\d+ connects in \d+ ms$/);
  assert.deepEqual(of("link"), [["ok", "the relay takes this worker in as local"]]);
  assert.deepEqual(of("clock")[0], ["ok", "agrees with the relay's"]);
});

test("the relay sees no worker and logs nothing", async () => {
  const before = relay.stderr;
  await worker();
  assert.deepEqual(await workersOf(relay), []);
  assert.equal(relay.stderr, before);
});

test("a worker whose settings do not fit its backend is told what would", async () => {
  const { exitCode, of } = await worker("--models", "lama3", "--max-concurrency", "6");
  assert.equal(exitCode, 0);
  assert.deepEqual(of("models"), [["warning", "the backend does not list lama3", "did you mean llama3?"]]);
  assert.equal(of("slots")[0]![2], "--max-concurrency 4");
  assert.equal(of("prefixes")[0]![0], "warning");
});

test("a wrong secret, and none, are problems of the link alone", async () => {
  const flags = ["--proxy-url", relay.url, "--backend-url", backend.url];
  const wrong = await doctor("worker", ...flags, "--worker-secret", "another one");
  assert.equal(wrong.exitCode, 1);
  assert.equal(
    wrong.of("relay").every(([level]) => level === "ok"),
    true,
  );
  assert.deepEqual(wrong.of("link")[0]!.slice(0, 2), ["problem", "the relay refuses the worker secret"]);
  const none = await doctor("worker", ...flags);
  assert.deepEqual(none.of("link")[0]!.slice(0, 2), [
    "problem",
    "the relay wants a worker secret, and none is set",
  ]);
});

test("nobody there: a backend, a relay, a name", async () => {
  const { exitCode, of } = await doctor(
    ...[
      "worker",
      "--backend-url",
      "http://127.0.0.1:9",
      "--proxy-url",
      "http://127.0.0.1:9,http://no.such.invalid",
    ],
  );
  assert.equal(exitCode, 1);
  assert.equal(of("backend")[0]![0], "problem");
  const [refused, unknown] = of("relay");
  assert.equal(refused![0], "problem");
  assert.deepEqual(unknown!.slice(0, 2), ["problem", "the name no.such.invalid is not known"]);
  assert.deepEqual(of("link"), []);
});

test("a ModelRelay server, which lets in first and refuses then", async () => {
  const server = await RustServer.start({ workerSecret: SECRET });
  try {
    const flags = ["worker", "--backend-url", backend.url, "--proxy-url", server.url];
    const right = await doctor(...flags, "--worker-secret", SECRET);
    assert.deepEqual(right.of("link"), [["ok", "the relay takes this worker in as local"]]);
    const wrong = await doctor(...flags, "--worker-secret", "another one");
    assert.match(wrong.of("link")[0]![1], /^the relay says: .*authentication failed/);
  } finally {
    server.kill();
  }
});

test("what is no relay, and has another time, is told", async () => {
  const server = createServer((_request, response) => {
    response.setHeader("date", new Date(Date.now() - 3_600_000).toUTCString());
    response.end("{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { exitCode, of } = await doctor("worker", "--backend-url", backend.url, "--proxy-url", url);
    assert.equal(exitCode, 1);
    assert.match(of("clock")[0]![1], /^3(599|600|601) s ahead of the relay's$/);
    assert.equal(of("link")[0]![0], "problem");
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test("a port in use is a problem, unless a relay has it", async () => {
  const running = await doctor("serve", "--listen", `127.0.0.1:${relay.port}`);
  assert.deepEqual(running.of("port"), [["ok", `a relay is running on 127.0.0.1:${relay.port}`]]);
  const port = new URL(backend.url).port;
  const taken = await doctor("serve", "--listen", `127.0.0.1:${port}`);
  assert.equal(taken.exitCode, 1);
  assert.match(taken.of("port")[0]![1], /in use/);
  assert.equal(
    (await doctor("serve", "--listen", "203.0.113.1:8080", "--worker-secret", SECRET)).of("port")[0]![0],
    "problem",
  );
});

test("a relay that is open to the world says so, check by check", async () => {
  const { exitCode, of } = await doctor(
    ...["serve", "--listen", "0.0.0.0:0", "--worker-secret", "short", "--admin-token", "short"],
    ...["--cors-origin", "*", "--trusted-proxy", "0.0.0.0/0"],
  );
  assert.equal(exitCode, 0);
  for (const check of ["clients", "workers", "admin", "proxies", "browsers"]) {
    assert.equal(of(check)[0]![0], "warning", check);
  }
  const keys = join(folder, "keys.toml");
  writeFileSync(keys, "");
  const empty = await doctor("serve", "--listen", "127.0.0.1:0", "--api-keys-file", keys);
  assert.match(empty.of("clients")[0]![1], /has none$/);
});

test("a certificate that has ended, ends soon or is everybody's", {
  skip: !canMakeCertificates(),
}, async () => {
  const { good, expired } = makeCertificates();
  const with_ = async ({ certPem, keyPem }: typeof good, mode: number) => {
    const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
    writeFileSync(cert, certPem);
    writeFileSync(key, keyPem);
    chmodSync(key, mode);
    return doctor("serve", "--listen", "127.0.0.1:0", "--tls-cert", cert, "--tls-key", key);
  };
  const ended = await with_(expired, 0o600);
  assert.deepEqual([ended.exitCode, ended.of("tls")[0]![0]], [1, "problem"]);
  const soon = await with_(good, 0o644);
  assert.match(soon.of("tls")[0]![1], /in 1 day$/);
  assert.match(soon.of("tls")[1]![1], /^every user of this machine can read/);
});
