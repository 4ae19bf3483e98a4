import assert from "node:assert/strict";
import { test } from "node:test";
import { fetchOver } from "../../../shared/http1/fetch.ts";
import { originOf } from "../../../shared/http1/origin.ts";
import { Http1Failure } from "../../../shared/http1/types.ts";
import type { BytePeer } from "./byte_backend.ts";
import { withBackend } from "./test_client.ts";

/** Once a body that ends in a brace is there. */
const answeringBody = (answer: string) => ({
  serve: (peer: BytePeer) => void peer.receives("}").then(() => peer.send(answer)),
});
const answering = (answer: string) => ({ serve: (peer: BytePeer) => peer.answerAll(answer) });

test("fetchOver() sends a text, and reads a whole answer", () =>
  withBackend(async ({ backend, client }) => {
    const response = await fetchOver(client)(`http://127.0.0.1:${backend.port}/a?b=c`, {
      method: "POST",
      headers: { "X-A": "1" },
      body: '{"é":1}',
    });
    assert.deepEqual([response.status, response.headers.get("x-b")], [201, "2"]);
    assert.equal(await response.text(), "hello");
    assert.match(backend.received, /^POST \/a\?b=c HTTP\/1\.1\r\n/);
    assert.match(backend.received, /\r\nx-a: 1\r\n/);
    // One character for each byte.
    assert.ok(backend.received.endsWith('\r\n\r\n{"Ã©":1}'));
  }, answeringBody(
    "HTTP/1.1 201 Created\r\nX-B: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
  )));

test("fetchOver() gives an answer without a body as one", () =>
  withBackend(async ({ backend, client }) => {
    const response = await fetchOver(client)(`http://127.0.0.1:${backend.port}/`);
    assert.deepEqual([response.status, response.body], [204, null]);
  }, answering("HTTP/1.1 204 No Content\r\n\r\n")));

test("fetchOver() follows no redirect", () =>
  withBackend(async ({ backend, client }) => {
    const response = await fetchOver(client)(`http://127.0.0.1:${backend.port}/`);
    assert.equal(response.status, 302);
  }, answering("HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n")));

test("fetchOver() rejects with what went wrong", () =>
  withBackend(async ({ backend, client }) => {
    const asked = fetchOver(client)(`http://127.0.0.1:${backend.port}/`);
    await assert.rejects(asked, (error) => error instanceof Http1Failure && error.kind === "invalid");
  }, answering("SSH-2.0-OpenSSH_9.2\r\n")));

test("originOf() knows the ports of the schemes, and IPv6 addresses without brackets", () => {
  assert.deepEqual(originOf(new URL("http://a.test/x")), { host: "a.test", port: 80 });
  assert.deepEqual(originOf(new URL("https://[::1]"), ["pem"]), {
    host: "::1",
    port: 443,
    tls: { serverName: "::1", caPem: ["pem"] },
  });
  assert.deepEqual(originOf(new URL("https://a.test:8443")), {
    host: "a.test",
    port: 8443,
    tls: { serverName: "a.test" },
  });
});
