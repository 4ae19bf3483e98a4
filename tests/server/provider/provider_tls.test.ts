import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import net, { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import tls from "node:tls";
import { type Certificate, canMakeCertificates, makeCertificates } from "../../support/certificates.ts";
import { Carried, dialerOf, targetOf } from "./set_up.ts";

const skip = canMakeCertificates() ? false : "there is no openssl to make certificates with";
const made = skip ? undefined! : makeCertificates();
const caPem = skip ? [] : [made.authorityPem];

const dialers: { close(): void }[] = [];
const servers: tls.Server[] = [];
after(() => {
  for (const one of [...dialers, ...servers]) one.close();
});

/** A provider with this certificate: names that SNI asked for, and what was sent to it. */
async function provider(certificate: Certificate, options: tls.TlsOptions = {}) {
  const server = tls.createServer({ cert: certificate.certPem, key: certificate.keyPem, ...options });
  servers.push(server);
  const seen = { names: [] as unknown[], text: "", connections: 0, port: 0 };
  server.on("connection", () => seen.connections++);
  server.on("tlsClientError", () => {});
  server.on("secureConnection", (socket) => {
    seen.names.push(socket.servername);
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      seen.text += bytes;
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  seen.port = (server.address() as AddressInfo).port;
  return seen;
}

function ask(
  port: number,
  { host = "good.test", trusted = caPem }: { host?: string; trusted?: string[] } = {},
) {
  const { dialer } = dialerOf({ caPem: trusted });
  dialers.push(dialer);
  return { dialer, one: new Carried(dialer, targetOf({ port, host, secure: true })) };
}

test("the name of the endpoint goes out by SNI and is checked, at the address that was pinned", {
  skip,
}, async () => {
  const seen = await provider(made.good);
  const { dialer, one } = ask(seen.port);
  assert.equal((await one.over()).text, "hi");
  const target = targetOf({ port: seen.port, secure: true });
  assert.equal((await new Carried(dialer, target).over()).text, "hi");
  assert.deepEqual(seen.names, ["good.test"]);
  assert.equal(seen.connections, 1);
  assert.match(seen.text, new RegExp(`^GET /20240101/chat HTTP/1.1\r\nHost: good\\.test:${seen.port}\r\n`));
});

const REFUSED: Record<string, () => { certificate: Certificate; host?: string; trusted?: string[] }> = {
  "a certificate for another name": () => ({ certificate: made.otherName }),
  "a name that the certificate does not have": () => ({ certificate: made.good, host: "unit.good.test" }),
  "a certificate that has expired": () => ({ certificate: made.expired }),
  "an authority that nobody trusts": () => ({ certificate: made.good, trusted: [] }),
};
for (const [name, refused] of Object.entries(REFUSED)) {
  test(`${name} is unreachable, and nothing is sent`, { skip }, async () => {
    const { certificate, ...how } = refused();
    const seen = await provider(certificate);
    const { one } = ask(seen.port, how);
    assert.deepEqual(await one.fails(), { code: "backend_unreachable", text: "unreachable" });
    assert.equal(seen.text, "");
    assert.equal(seen.connections, 1);
  });
}

test("a provider without TLS is unreachable where TLS is wanted", { skip }, async () => {
  const plain = net.createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.end("HTTP/1.1 400 Bad\r\n\r\n"));
  });
  await new Promise<void>((resolve) => plain.listen(0, "127.0.0.1", resolve));
  const { one } = ask((plain.address() as AddressInfo).port);
  assert.equal((await one.fails()).code, "backend_unreachable");
  await new Promise((resolve) => plain.close(resolve));
});

for (const [version, wanted] of Object.entries({
  tls1_1: "refused",
  tls1_2: "accepted",
  tls1_3: "accepted",
})) {
  test(`${version} is ${wanted}`, { skip }, async () => {
    await using server = await opensslServer(version);
    assert.ok(opensslConnects(server.port, version), "openssl's own client is served");
    const { one } = ask(server.port);
    await one.over();
    assert.equal(one.failure?.code, wanted === "refused" ? "backend_unreachable" : undefined);
    if (wanted === "accepted") assert.equal(one.head?.status, 200);
  });
}

const OLD_CIPHERS = ["-cipher", "ALL:@SECLEVEL=0"];

function opensslConnects(port: number, version: string): boolean {
  const words = ["s_client", "-connect", `127.0.0.1:${port}`, `-${version}`, ...OLD_CIPHERS];
  return spawnSync("openssl", words, { input: "" }).status === 0;
}

/** `openssl s_server -www` with one version of TLS, old ciphers included. */
async function opensslServer(version: string) {
  const folder = mkdtempSync(join(tmpdir(), "signalbox-s_server-"));
  const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  writeFileSync(cert, made.good.certPem);
  writeFileSync(key, made.good.keyPem);
  const process = spawn(
    "openssl",
    [
      ...["s_server", "-accept", "127.0.0.1:0", "-cert", cert, "-key", key, `-${version}`, "-www"],
      ...OLD_CIPHERS,
    ],
    { stdio: ["ignore", "pipe", "ignore"] },
  );
  const port = await new Promise<number>((resolve, reject) => {
    process.on("exit", () => reject(new Error("openssl s_server ended")));
    let text = "";
    process.stdout!.on("data", (bytes) => {
      text += bytes;
      const found = /^ACCEPT .*:(\d+)$/m.exec(text);
      if (found) resolve(Number(found[1]));
    });
  });
  return {
    port,
    async [Symbol.asyncDispose]() {
      process.removeAllListeners("exit");
      const ended = new Promise((resolve) => process.on("exit", resolve));
      process.kill("SIGKILL");
      await ended;
      rmSync(folder, { recursive: true });
    },
  };
}
