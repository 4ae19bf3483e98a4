import assert from "node:assert/strict";
import { test } from "node:test";
import type { Runtime } from "../../../shared/runtime/ports.ts";
import { lacks } from "./differences.ts";
import { RawClient, serve } from "./set_up.ts";

/** Request line and headers as they are written, and the target that both runtimes make of them. */
const TARGETS: { request: string; target: string }[] = [
  { request: "GET /a/b?x=1&x=2 HTTP/1.1\r\nHost: h:1", target: "/a/b?x=1&x=2" },
  { request: "GET / HTTP/1.1\r\nHost: h", target: "/" },
  { request: "GET /a/./b/../c HTTP/1.1\r\nHost: h", target: "/a/c" },
  { request: "GET /a/.. HTTP/1.1\r\nHost: h", target: "/" },
  { request: "GET /../../x HTTP/1.1\r\nHost: h", target: "/x" },
  { request: "GET /a/%2e%2e/c%2Fd HTTP/1.1\r\nHost: h", target: "/c%2Fd" },
  { request: "GET /a/.%2E/b/%2e./c HTTP/1.1\r\nHost: h", target: "/c" },
  { request: "GET /a..b/.../..c?../d HTTP/1.1\r\nHost: h", target: "/a..b/.../..c?../d" },
  { request: "GET /.well-known/x HTTP/1.1\r\nHost: h", target: "/.well-known/x" },
  { request: "GET /a? HTTP/1.1\r\nHost: h", target: "/a?" },
  { request: "GET //evil/x HTTP/1.1\r\nHost: h", target: "//evil/x" },
  { request: "GET /..//evil/x HTTP/1.1\r\nHost: h", target: "//evil/x" },
  { request: "GET /a\\..\\b HTTP/1.1\r\nHost: h", target: "/b" },
  { request: "GET /a#b/../c HTTP/1.1\r\nHost: h", target: "/a" },
  { request: "GET /a?q#b HTTP/1.1\r\nHost: h", target: "/a?q" },
  { request: "GET /%zz%2 HTTP/1.1\r\nHost: h", target: "/%zz%2" },
  {
    request: "GET /a\"<>`{}|^'[]b?\"<>`{}|^'[] HTTP/1.1\r\nHost: h",
    target: "/a%22%3C%3E%60%7B%7D|%5E'[]b?%22%3C%3E`{}|^%27[]",
  },
  { request: "GET http://other/p?q HTTP/1.1\r\nHost: h", target: "/p?q" },
  { request: "GET http://other/p?q HTTP/1.1\r\nHost: o", target: "/p?q" },
  { request: "GET http://other HTTP/1.1\r\nHost: h", target: "/" },
  { request: "GET http://other?x=/../y HTTP/1.1\r\nHost: h", target: "/?x=/../y" },
  { request: "GET HTTP://u:p@other:99/p/../z HTTP/1.1\r\nHost: h", target: "/z" },
  { request: "GET /a/../b?x HTTP/1.0", target: "/b?x" },
  // Not valid, so refused by whoever handles the request; the target is right all the same.
  { request: "GET /a/../b HTTP/1.1\r\nHost: a b", target: "/b" },
  { request: "GET /a/../b HTTP/1.1\r\nHost: ", target: "/b" },
  { request: "GET /a/../b HTTP/1.1\r\nHost: h/x/../y", target: "/b" },
  { request: "GET /a/../b HTTP/1.1\r\nHost: h?x", target: "/b" },
  { request: "GET /a/../b HTTP/1.1\r\nHost: u@h", target: "/b" },
  { request: "GET /a/../b HTTP/1.1\r\nHost: h:99999", target: "/b" },
  { request: "GET /a/../b HTTP/1.1\r\nHost: [::1]:80", target: "/b" },
  { request: "GET //x/../b HTTP/1.1\r\nHost: a b", target: "//b" },
  { request: "GET http://o/a/../b HTTP/1.1\r\nHost: a b", target: "/b" },
];

/** No URL (RFC 3986 2), and some clients send it all the same. */
const RAW = { request: "GET /\xc3\xa9?\xc3\xa9 HTTP/1.1\r\nHost: h", target: "/%C3%A9?%C3%A9" };

/** What the runtime may refuse by itself; reaching the handler, it must not look like one path. */
const REFUSABLE = [
  "GET /a HTTP/1.1",
  "GET /a HTTP/1.1\r\nHost: a\r\nHost: b",
  "GET a/b HTTP/1.1\r\nHost: h",
  "GET /a b HTTP/1.1\r\nHost: h",
  "OPTIONS * HTTP/1.1\r\nHost: h",
  "CONNECT a:1 HTTP/1.1\r\nHost: h",
];

export function targetContract(runtime: Runtime): void {
  test("the target is path and query as the URL standard writes them", async () => {
    assert.ok(TARGETS.length > 0);
    await using server = await serve(runtime, (_, context) => new Response(context.target));
    for (const { request, target } of lacks(runtime, "rawTargets") ? TARGETS : [...TARGETS, RAW]) {
      using client = new RawClient(server.port, `${request}\r\n\r\n`);
      await client.complete();
      assert.equal(client.body, target, request);
    }
  });

  test("a router sees the path of the target when the host is valid", async () => {
    await using server = await serve(runtime, (request) => new Response(new URL(request.url).pathname));
    const valid = TARGETS.filter(({ request }) => /Host: (h|h:1|o|\[::1\]:80)$/.test(request));
    assert.ok(valid.length > 20);
    for (const { request, target } of valid) {
      using client = new RawClient(server.port, `${request}\r\n\r\n`);
      await client.complete();
      assert.equal(client.body, target.split("?")[0], request);
    }
  });

  test("Host is seen as it was written", async () => {
    await using server = await serve(runtime, (request) => new Response(request.headers.get("host")));
    for (const host of ["h", "H.Example:80", "a b", "h/x"]) {
      using client = new RawClient(server.port, `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      await client.complete();
      assert.equal(client.body, host);
    }
  });

  test("requests that are none are refused, or handed over with a target that starts with a slash", async () => {
    await using server = await serve(runtime, (request, context) => {
      return Response.json({ target: context.target, host: request.headers.get("host") });
    });
    for (const request of REFUSABLE) {
      using client = new RawClient(server.port, `${request}\r\n\r\n`);
      await client.until(() => client.ended !== "no" || /\r\n\r\n/.test(client.text), "an answer or a close");
      if (!/^HTTP\/1.. 200/.test(client.text)) continue;
      await client.complete();
      const { target, host } = JSON.parse(client.body);
      assert.match(target, /^\//, request);
      // Two of them are joined, so that no valid one is left.
      if (request.includes("Host: b")) assert.equal(host, "a, b");
    }
  });
}
