import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { OutgoingHttpHeaders } from "node:http";
import { after, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { curl, headOf, noCurl, valuesOf } from "../support/curl.ts";
import { EchoBackend, sha256 } from "../support/echo_backend.ts";
import { cannotOverPlain } from "../support/link_form.ts";
import { Pair } from "../support/pair.ts";

const LIMIT = { timeout: 20_000 };
const OF_BYTES = { ...LIMIT, skip: cannotOverPlain("text") };

/** Whatever the backend answers reaches curl as it was answered. */
describe("answers to curl", { skip: noCurl() }, () => {
  let backend: EchoBackend;
  let pair: Pair;

  before(async () => {
    backend = await EchoBackend.start();
    pair = await Pair.start(backend.url);
  });

  after(async () => {
    await pair?.[Symbol.asyncDispose]();
    await backend?.[Symbol.asyncDispose]();
  });

  /** Have the backend answer so, and give what curl gets of it. */
  async function answered(
    status: number,
    headers: OutgoingHttpHeaders,
    { body, args = [] }: { body?: Uint8Array; args?: string[] } = {},
  ) {
    backend.on("/answer", (request, response) => {
      request.resume();
      response.writeHead(status, headers);
      response.end(body);
    });
    const answer = await curl([`${pair.url}/answer`, ...args]);
    assert.deepEqual([answer.exitCode, answer.stderr], [0, ""]);
    const head = headOf(answer);
    return { head, body: answer.body, value: (name: string) => valuesOf(head, name).join(" | ") };
  }

  test("a binary download arrives whole, and is known to be", OF_BYTES, async () => {
    const bytes = randomBytes(3_000_000);
    const got = await answered(200, { "content-type": "application/octet-stream" }, { body: bytes });
    assert.equal(sha256(got.body), sha256(bytes));
    assert.equal(got.value("content-type"), "application/octet-stream");
  });

  test("an answer without a type gets none", LIMIT, async () => {
    for (const body of ["", "some text", "x".repeat(100_000)]) {
      for (const length of [{}, { "content-length": String(body.length) }]) {
        const got = await answered(200, length, { body: Buffer.from(body) });
        assert.equal(got.body.toString(), body);
        assert.equal(got.value("content-type"), "");
      }
    }
  });

  test("gzip stays gzip, br stays br", OF_BYTES, async () => {
    for (const [encoding, bytes] of [
      ["gzip", gzipSync("some text ".repeat(1000))],
      ["br", randomBytes(500)],
    ] as const) {
      const headers = { "content-encoding": encoding, "content-type": "text/plain", vary: "accept-encoding" };
      const got = await answered(200, headers, { body: bytes, args: ["-H", `Accept-Encoding: ${encoding}`] });
      assert.deepEqual([got.value("content-encoding"), got.value("vary")], [encoding, "accept-encoding"]);
      assert.equal(sha256(got.body), sha256(bytes));
    }
  });

  test("curl --compressed reads through the relay", OF_BYTES, async () => {
    const text = "some text ".repeat(1000);
    const got = await answered(
      200,
      { "content-encoding": "gzip" },
      { body: gzipSync(text), args: ["--compressed"] },
    );
    assert.equal(got.body.toString(), text);
  });

  for (const status of [301, 302, 303, 307, 308]) {
    test(`a redirect ${status} is the client's to follow`, LIMIT, async () => {
      const got = await answered(status, { location: "http://127.0.0.1:9/elsewhere?a=%2F" });
      assert.deepEqual(
        [got.head.status, got.value("location")],
        [status, "http://127.0.0.1:9/elsewhere?a=%2F"],
      );
    });
  }

  test("Set-Cookie twice stays two fields, in order", {
    ...LIMIT,
    skip: cannotOverPlain("oneValue"),
  }, async () => {
    const cookies = ["a=1; Path=/; Expires=Wed, 21 Oct 2026 07:28:00 GMT", "b=2; HttpOnly"];
    const got = await answered(200, { "set-cookie": cookies }, { body: Buffer.from("ok") });
    assert.deepEqual(valuesOf(got.head, "set-cookie"), cookies);
  });

  test("a Latin-1 header value", LIMIT, async () => {
    const got = await answered(200, { "x-name": "caf\xe9 \xff" }, { body: Buffer.from("ok") });
    assert.equal(got.value("x-name"), "caf\xe9 \xff");
  });

  for (const [status, headers] of [
    [204, {}],
    [205, { "content-length": 0 }],
    [304, { etag: '"v1"' }],
  ] as const) {
    test(`${status} has no body, and the connection goes on`, LIMIT, async () => {
      const got = await answered(status, { "x-kept": "yes", ...headers }, { args: [`${pair.url}/second`] });
      // What curl shows behind the first head is the second answer, on the same connection.
      assert.equal(got.value("x-kept"), "yes");
      assert.equal(got.head.status, status);
      assert.match(got.body.toString(), /^HTTP\/1\.1 200 .*"target":"\/second"/s);
    });
  }

  test("HEAD keeps the length of what a GET would get", LIMIT, async () => {
    const got = await answered(
      200,
      { "content-length": 12_345, "content-type": "image/png" },
      { args: ["-I"] },
    );
    assert.deepEqual([got.value("content-length"), got.value("content-type")], ["12345", "image/png"]);
    assert.equal(got.body.length, 0);
  });

  test("a range", LIMIT, async () => {
    backend.on("/range", (request, response) => {
      assert.equal(request.headers.range, "bytes=2-5");
      response.writeHead(206, { "content-range": "bytes 2-5/10", "content-length": 4 });
      response.end("2345");
    });
    const answer = await curl([`${pair.url}/range`, "-r", "2-5"]);
    const head = headOf(answer);
    assert.deepEqual(
      [head.status, valuesOf(head, "content-range"), answer.body.toString()],
      [206, ["bytes 2-5/10"], "2345"],
    );
  });

  for (const status of [400, 401, 402, 404, 405, 409, 418, 422, 429, 451, 500, 502, 503, 529, 599]) {
    test(`a backend's ${status} is the backend's`, LIMIT, async () => {
      const headers = { "retry-after": "7", "www-authenticate": 'Basic realm="b"', "x-ratelimit": "0" };
      const got = await answered(status, headers, { body: Buffer.from("of the backend") });
      assert.deepEqual([got.head.status, got.body.toString()], [status, "of the backend"]);
      for (const [name, value] of Object.entries(headers)) assert.equal(got.value(name), value);
    });
  }

  test("what the relay adds to an answer, and what it takes away", LIMIT, async () => {
    const forged = { "x-signalbox-worker": "forged", "x-signalbox-other": "forged", via: "1.0 nginx" };
    const hop = {
      connection: "x-hop",
      "x-hop": "1",
      "keep-alive": "timeout=9",
      "proxy-authenticate": "Basic",
    };
    const got = await answered(
      200,
      { ...forged, ...hop, date: "Thu, 01 Jan 1970 00:00:00 GMT" },
      { body: Buffer.from("ok") },
    );
    assert.match(got.value("x-signalbox-request-id"), /^[0-9a-f-]{36}$/);
    assert.deepEqual(
      ["provider", "worker", "attempts", "other"].map((name) => got.value(`x-signalbox-${name}`)),
      ["local", "worker", "1", ""],
    );
    assert.equal(got.value("via"), "1.0 nginx, 1.1 signalbox");
    for (const name of ["x-hop", "keep-alive", "proxy-authenticate"]) assert.equal(got.value(name), "", name);
    assert.equal(got.value("date"), "Thu, 01 Jan 1970 00:00:00 GMT");
  });

  test("an empty answer is complete", LIMIT, async () => {
    const got = await answered(200, { "content-length": 0 });
    assert.deepEqual([got.head.status, got.body.length, got.value("content-length")], [200, 0, "0"]);
  });
});
