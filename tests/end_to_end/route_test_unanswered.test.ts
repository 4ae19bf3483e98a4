import assert from "node:assert/strict";
import { createServer } from "node:net";
import { after, before, test } from "node:test";
import { ReaderFolder } from "../architecture/reader.ts";
import { startRelay } from "../support/admin_view.ts";
import { canMakeCertificates, makeCertificates } from "../support/certificates.ts";
import { EchoBackend } from "../support/echo_backend.ts";
import { RelayProgram, runProgram } from "../support/program.ts";

/** `route-test --server` and nobody there who answers as a relay does: one error line, one hint line, exit code 2. */

const LIMIT = { timeout: 30_000 };
const TOKEN = "admin-token-of-the-tests";

let relay: RelayProgram;
let other: EchoBackend;

before(async () => {
  relay = await startRelay();
  other = await EchoBackend.start();
});

after(async () => {
  await relay?.kill();
  await other?.[Symbol.asyncDispose]();
});

async function refused(
  server: string,
  env: Record<string, string>,
  flags: string[] = [],
): Promise<[string, string]> {
  const args = ["route-test", "POST", "/v1/x", "--json", "--server", server, ...flags];
  const { exitCode, stdout, stderr } = await runProgram(args, { env });
  assert.deepEqual([exitCode, stdout], [2, ""], stderr);
  const [error = "", hint = "", ...more] = stderr.split("\n");
  assert.deepEqual(more, [""], stderr);
  assert.match(error, /^signalbox: error: Cannot ask https?:\/\//);
  assert.match(hint, /^signalbox: hint: ./);
  assert.ok(!stderr.includes("hunter2"));
  return [error, hint];
}

test("no admin token", LIMIT, async () => {
  const [error, hint] = await refused(relay.url, {});
  assert.match(error, /wanted its admin token, found none/);
  assert.match(hint, /--admin-token-file/);
});

test("a wrong admin token", LIMIT, async () => {
  const [error] = await refused(relay.url, { MODELRELAY_ADMIN_TOKEN: "hunter2" });
  assert.match(error, /the relay refused the admin token/);
});

test("a server that is no relay", LIMIT, async () => {
  const [echoed] = await refused(other.url, { SIGNALBOX_ADMIN_TOKEN: TOKEN });
  assert.match(echoed, /no route report/);
  other.on(
    "/admin/route-test",
    (_request, response) => void response.writeHead(404).end("<html>nothing here</html>"),
  );
  const [missing] = await refused(other.url, { SIGNALBOX_ADMIN_TOKEN: TOKEN });
  assert.match(missing, /POST \/admin\/route-test gave 404/);
  other.on("/admin/route-test", (_request, response) => {
    response.writeHead(200, { "content-type": "application/json" }).end("{half");
  });
  const [half] = await refused(other.url, { SIGNALBOX_ADMIN_TOKEN: TOKEN });
  assert.match(half, /not JSON/);
});

test("a server that does not speak HTTP", LIMIT, async () => {
  const server = createServer((socket) =>
    socket
      .on("error", () => {})
      .resume()
      .end("SSH-2.0-OpenSSH_9.2\r\n"),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const [error] = await refused(`http://127.0.0.1:${port}`, {});
  assert.match(error, /does not speak HTTP/);
  const [tls] = await refused(`https://127.0.0.1:${port}`, {});
  assert.match(tls, /does not speak TLS/);
  await new Promise((resolve) => server.close(resolve));
});

test("a certificate of an authority that nobody knows", {
  ...LIMIT,
  skip: canMakeCertificates() ? false : "needs openssl",
}, async () => {
  const { authorityPem, good } = makeCertificates();
  using folder = new ReaderFolder();
  const [cert, key] = [folder.write("cert.pem", good.certPem), folder.write("key.pem", good.keyPem)];
  const authority = folder.write("authority.pem", authorityPem);
  const env = { SIGNALBOX_ADMIN_TOKEN: TOKEN };
  await using secure = await RelayProgram.start([`--tls-cert=${cert}`, `--tls-key=${key}`], { env });
  const [error, hint] = await refused(secure.url, env);
  assert.match(error, /its certificate was not accepted/);
  assert.match(hint, /--ca-file/);
  const { exitCode, stdout, stderr } = await runProgram(
    ["route-test", "POST", "/v1/x", "--server", secure.url, "--ca-file", authority],
    { env },
  );
  assert.deepEqual([exitCode, stdout.includes("refuse: 404 no_eligible_worker")], [1, true], stderr);
});
