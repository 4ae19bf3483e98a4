import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import tls from "node:tls";
import { Http1Client } from "../../../shared/http1/client.ts";
import type { Origin } from "../../../shared/http1/types.ts";
import { runtime } from "../../../shared/runtime/current.ts";
import { canMakeCertificates, makeCertificates } from "../../support/certificates.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { fail, Recorded, succeed } from "./test_client.ts";

const skip = canMakeCertificates() ? false : "there is no openssl to make certificates with";
const certificates = skip ? undefined! : makeCertificates();

/** What the server saw: the names asked for by SNI, and the requests. */
const names: unknown[] = [];
let requests = "";
const server = tls.createServer(
  skip ? {} : { cert: certificates.good.certPem, key: certificates.good.keyPem },
);
server.on("secureConnection", (socket) => {
  names.push(socket.servername);
  socket.on("error", () => {});
  socket.on("data", (bytes) => {
    requests += bytes;
    if (String(bytes).endsWith("\r\n\r\n")) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
  });
});
server.on("tlsClientError", () => {});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const client = new Http1Client({ runtime, clock: new FakeClock() });
after(() => {
  client.close();
  server.close();
});

function originWith(secure: Origin["tls"]): Origin {
  const { port } = server.address() as AddressInfo;
  return { host: "good.test", port, address: "127.0.0.1", tls: secure! };
}

const caPem = skip ? [] : [certificates.authorityPem];

test("a private authority is trusted, the name goes out by SNI, and the connection is kept", {
  skip,
}, async () => {
  const origin = originWith({ serverName: "good.test", caPem });
  for (let round = 0; round < 2; round++) assert.equal((await succeed({ client, origin })).text, "hi");
  assert.deepEqual(names, ["good.test"]);
  assert.equal(client.connections, 1);
  assert.ok(requests.includes(`\r\nHost: good.test:${origin.port}\r\n`));
});

const REFUSED: Record<string, () => Origin["tls"]> = {
  "a certificate for another name": () => ({ serverName: "other.test", caPem }),
  "a certificate of an authority that is not trusted": () => ({ serverName: "good.test" }),
};
for (const [name, secure] of Object.entries(REFUSED)) {
  test(`${name} is unreachable, and nothing is sent`, { skip }, async () => {
    const before = requests;
    await fail({ client, origin: originWith(secure()) }, "unreachable", { target: "/secret" });
    assert.equal(requests, before);
  });
}

test("a connection is not shared between those who trust differently", { skip }, async () => {
  await succeed({ client, origin: originWith({ serverName: "good.test", caPem }) });
  await fail({ client, origin: originWith({ serverName: "good.test" }) }, "unreachable");
});

test("1 MiB goes out through TLS", { skip }, async () => {
  const origin = originWith({ serverName: "good.test", caPem });
  const body = new Uint8Array(1024 * 1024).fill(0x61);
  const before = requests.length;
  const one = new Recorded(client, origin, { method: "PUT", body: { length: body.length + 4 } });
  one.exchange.write(body);
  one.exchange.write(new TextEncoder().encode("\r\n\r\n"));
  one.exchange.end();
  await one.over;
  assert.equal(one.text, "hi");
  assert.ok(requests.length - before > body.length);
});
