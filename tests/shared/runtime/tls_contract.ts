import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import net from "node:net";
import { after, before, describe, test } from "node:test";
import tls from "node:tls";
import type { DialOptions, Runtime } from "../../../shared/runtime/ports.ts";
import {
  type Certificate,
  canMakeCertificates,
  makeCertificates,
  type TestCertificates,
} from "../../support/certificates.ts";
import { until } from "../../support/until.ts";
import { lacks } from "./differences.ts";
import { failure, Heard, Peer } from "./peer.ts";
import { HOST, MIB, serve, Told } from "./set_up.ts";

const skip = canMakeCertificates() ? false : "makes its certificates with openssl, which is not here";

export function tlsContract(runtime: Runtime): void {
  describe("TLS", { skip }, () => {
    let made: TestCertificates;
    const peers: Peer[] = [];
    before(() => {
      made = makeCertificates();
    });
    after(() => {
      for (const peer of peers) peer[Symbol.dispose]();
    });

    /** A TLS server with this certificate, and how to dial it. */
    async function secured(
      certificate: Certificate,
      trusted: boolean,
    ): Promise<{ peer: Peer; options: DialOptions }> {
      const peer = new Peer(tls.createServer({ cert: certificate.certPem, key: certificate.keyPem }));
      peers.push(peer);
      const port = await peer.listen();
      const caPem = trusted ? { caPem: [made.authorityPem] } : {};
      return {
        peer,
        options: { host: "localhost", port, tls: { serverName: "localhost", ...caPem }, timeoutMs: 2000 },
      };
    }

    test("a certificate of the name by a trusted authority is accepted, in either direction of bytes", async () => {
      const { peer, options } = await secured(made.good, true);
      const heard = new Heard();
      const connection = await runtime.dial(options, heard);
      const socket = await peer.connected();
      const sent = Buffer.alloc(20 * MIB, "0123456789abcdef-");
      connection.write(sent);
      await until(() => peer.received === sent.length, "all bytes");
      assert.equal(peer.hash.digest("hex"), createHash("sha256").update(sent).digest("hex"));
      socket.end("and back");
      await until(() => heard.ends.length === 1, "the end");
      assert.equal(heard.received.toString(), "and back");
    });

    test("the name of the certificate is checked, also for a pinned address", async () => {
      const { peer, options } = await secured(made.good, true);
      const named = (serverName: string): DialOptions => ({
        ...options,
        host: "good.test",
        address: HOST,
        tls: { ...options.tls, serverName },
      });
      (await runtime.dial(named("good.test"), new Heard())).close();
      assert.equal(
        ((await peer.connected()) as tls.TLSSocket & { servername: string }).servername,
        "good.test",
      );
      (await runtime.dial(named(HOST), new Heard())).close();
      assert.equal((await failure(runtime.dial(named("else.test"), new Heard()))).kind, "tls");
    });

    test("a certificate that is not to be trusted is refused and its server gets nothing", async () => {
      const cases = [
        { name: "unknown authority", server: await secured(made.good, false) },
        { name: "other name", server: await secured(made.otherName, true) },
        { name: "expired", server: await secured(made.expired, true) },
      ];
      for (const { name, server } of cases) {
        const heard = new Heard();
        const error = await failure(runtime.dial(server.options, heard));
        assert.equal(error.kind, "tls", name);
        assert.match(error.message, /^Cannot connect to localhost:\d+: \S/, name);
        assert.deepEqual([heard.ends.length, server.peer.received], [0, 0], name);
      }
    });

    test("a peer that speaks no TLS is no connection, and one that says nothing is late", async () => {
      const plain = new Peer(net.createServer((socket) => socket.end("220 hello\r\n")));
      const silent = new Peer();
      peers.push(plain, silent);
      const options = async (peer: Peer, timeoutMs: number): Promise<DialOptions> => {
        return { host: HOST, port: await peer.listen(), tls: { serverName: "localhost" }, timeoutMs };
      };
      assert.equal((await failure(runtime.dial(await options(plain, 2000), new Heard()))).kind, "tls");
      assert.equal((await failure(runtime.dial(await options(silent, 100), new Heard()))).kind, "timeout");
      if (!lacks(runtime, "givesUpHandshake")) await until(() => silent.ended, "the connection's end");
    });

    test("a WebSocket checks certificates the same way", async () => {
      const dialled = async (certificate: Certificate, trusted: boolean) => {
        const listener = await serve(runtime, (_, context) => context.upgrade(new Told()), {
          tls: certificate,
        });
        const url = `wss://localhost:${listener.port}/`;
        const trust = trusted ? { caPem: [made.authorityPem] } : {};
        const options = { url, headers: {}, timeoutMs: 2000, maxMessageBytes: MIB, ...trust };
        const result = await runtime.dialWebSocket(options, new Told()).catch((error: unknown) => error);
        await listener[Symbol.asyncDispose]();
        return (result as { kind?: string }).kind ?? "open";
      };
      assert.equal(await dialled(made.good, true), "open");
      assert.equal(await dialled(made.good, false), "tls");
      assert.equal(await dialled(made.otherName, true), "tls");
      assert.equal(await dialled(made.expired, true), "tls");
    });

    test("a renewed certificate is used from then on, and what is under way goes on", async () => {
      let secure: boolean | undefined;
      const answer = Promise.withResolvers<Response>();
      await using listener = await serve(
        runtime,
        (_, context) => {
          secure = context.secure;
          return answer.promise;
        },
        { tls: made.good },
      );
      const client = tls.connect({ host: HOST, port: listener.port, rejectUnauthorized: false });
      let received = "";
      client.on("data", (chunk) => {
        received += chunk;
      });
      client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      await until(() => secure === true, "the request");
      const { port } = listener;
      assert.throws(() => listener.reloadTls({ certPem: made.renewed.certPem, keyPem: made.good.keyPem }));
      assert.throws(() => listener.reloadTls({ certPem: "", keyPem: "" }));
      assert.equal(await serialNumber(port), serial(made.good));
      listener.reloadTls(made.renewed);
      assert.equal(await serialNumber(port), serial(made.renewed));
      assert.equal(listener.port, port);
      answer.resolve(new Response("still here"));
      await until(() => received.endsWith("still here"), "the answer on the old connection");
      client.destroy();
    });

    test("WebSockets outlive a renewed certificate", async () => {
      const told = new Told();
      await using listener = await serve(runtime, (_, context) => context.upgrade(told), { tls: made.good });
      const options = { headers: {}, timeoutMs: 2000, maxMessageBytes: MIB, caPem: [made.authorityPem] };
      const client = await runtime.dialWebSocket(
        { url: `wss://localhost:${listener.port}/`, ...options },
        new Told(),
      );
      listener.reloadTls(made.renewed);
      client.send("still here");
      await until(() => told.messages.length === 1, "the message");
      assert.deepEqual(told.closes, []);
    });
  });
}

function serial({ certPem }: Certificate): string {
  return new X509Certificate(certPem).serialNumber;
}

/** Of the certificate that a server shows. */
async function serialNumber(port: number): Promise<string> {
  const client = tls.connect({ host: HOST, port, rejectUnauthorized: false });
  await new Promise((resolve, reject) => client.once("secureConnect", resolve).once("error", reject));
  const { serialNumber } = client.getPeerCertificate();
  client.destroy();
  return serialNumber;
}
