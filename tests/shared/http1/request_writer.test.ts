import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { Destination } from "../../../shared/http1/origin.ts";
import { BodyWriter, writeHead } from "../../../shared/http1/request_writer.ts";
import {
  type HeaderPairs,
  Http1Failure,
  type Origin,
  type RequestBody,
} from "../../../shared/http1/types.ts";

const ORIGIN: Origin = { host: "backend", port: 80 };

interface Given {
  origin?: Origin;
  method?: string;
  target?: string;
  headers?: HeaderPairs;
  body?: RequestBody;
  firstBytes?: Uint8Array;
}

function written(given: Given): string {
  const { origin = ORIGIN, method = "GET", target = "/", headers = [], body = "none", firstBytes } = given;
  return Buffer.from(
    writeHead(new Destination(origin), { method, target, headers }, body, firstBytes),
  ).toString("latin1");
}

const tls = { serverName: "x" };
const firstBytes = Buffer.from("h\xefi", "latin1");

const WRITTEN: [name: string, given: Given, bytes: string][] = [
  ["nothing but Host is added", {}, "GET / HTTP/1.1\r\nHost: backend\r\n\r\n"],
  [
    "a port that is not the scheme's",
    { origin: { host: "b", port: 443 } },
    "GET / HTTP/1.1\r\nHost: b:443\r\n\r\n",
  ],
  ["no port for TLS on 443", { origin: { host: "b", port: 443, tls } }, "GET / HTTP/1.1\r\nHost: b\r\n\r\n"],
  ["a port for TLS on 80", { origin: { host: "b", port: 80, tls } }, "GET / HTTP/1.1\r\nHost: b:80\r\n\r\n"],
  ["an IPv6 address", { origin: { host: "::1", port: 8080 } }, "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n"],
  [
    "an IPv6 address with a zone",
    { origin: { host: "fe80::1%eth0", port: 80 } },
    "GET / HTTP/1.1\r\nHost: [fe80::1]\r\n\r\n",
  ],
  [
    "a pinned address is not the Host",
    { origin: { ...ORIGIN, address: "10.0.0.1" } },
    "GET / HTTP/1.1\r\nHost: backend\r\n\r\n",
  ],
  [
    "the target as it is",
    { target: "/a%2Fb//c;d?e=%20&e=%zz#" },
    "GET /a%2Fb//c;d?e=%20&e=%zz# HTTP/1.1\r\nHost: backend\r\n\r\n",
  ],
  [
    "fields in their order, with their case",
    {
      headers: [
        ["B", "1"],
        ["a", "2"],
        ["B", "3"],
      ],
    },
    "GET / HTTP/1.1\r\nHost: backend\r\nB: 1\r\na: 2\r\nB: 3\r\n\r\n",
  ],
  ["an empty value", { headers: [["a", ""]] }, "GET / HTTP/1.1\r\nHost: backend\r\na: \r\n\r\n"],
  [
    "Latin-1 as bytes",
    { headers: [["a", "\xe9\x80\xff"]] },
    "GET / HTTP/1.1\r\nHost: backend\r\na: \xe9\x80\xff\r\n\r\n",
  ],
  ["a tab in a value", { headers: [["a", "b\tc"]] }, "GET / HTTP/1.1\r\nHost: backend\r\na: b\tc\r\n\r\n"],
  [
    "a method of the WebDAV family",
    { method: "VERSION-CONTROL" },
    "VERSION-CONTROL / HTTP/1.1\r\nHost: backend\r\n\r\n",
  ],
  [
    "a POST without a body says so",
    { method: "POST" },
    "POST / HTTP/1.1\r\nHost: backend\r\nContent-Length: 0\r\n\r\n",
  ],
  ["a DELETE without a body need not", { method: "DELETE" }, "DELETE / HTTP/1.1\r\nHost: backend\r\n\r\n"],
  [
    "a body of no bytes",
    { body: { length: 0 } },
    "GET / HTTP/1.1\r\nHost: backend\r\nContent-Length: 0\r\n\r\n",
  ],
  [
    "a body beyond 4 GiB",
    { body: { length: 2 ** 40 } },
    "GET / HTTP/1.1\r\nHost: backend\r\nContent-Length: 1099511627776\r\n\r\n",
  ],
  [
    "a chunked body",
    { body: "chunked" },
    "GET / HTTP/1.1\r\nHost: backend\r\nTransfer-Encoding: chunked\r\n\r\n",
  ],
  [
    "the body behind the head",
    { body: { length: 3 }, firstBytes },
    "GET / HTTP/1.1\r\nHost: backend\r\nContent-Length: 3\r\n\r\nh\xefi",
  ],
  [
    "the body behind a Latin-1 head",
    { headers: [["a", "\xe9\xe9\xe9"]], body: { length: 3 }, firstBytes },
    "GET / HTTP/1.1\r\nHost: backend\r\na: \xe9\xe9\xe9\r\nContent-Length: 3\r\n\r\nh\xefi",
  ],
];

for (const [name, given, bytes] of WRITTEN) {
  test(`writeHead() writes ${name}`, () => assert.equal(written(given), bytes));
}

const REFUSED: Record<string, Given> = {
  "a line break in a value": { headers: [["a", "b\r\nc: d"]] },
  "a CR in a value": { headers: [["a", "b\rc"]] },
  "an LF in a value": { headers: [["a", "b\nc"]] },
  "a NUL in a value": { headers: [["a", "b\0"]] },
  "a character beyond Latin-1 that ends in LF": { headers: [["a", "b\u010ac"]] },
  "a character beyond Latin-1": { headers: [["a", "\u20ac"]] },
  "an empty name": { headers: [["", "b"]] },
  "a blank in a name": { headers: [["a b", "c"]] },
  "a colon in a name": { headers: [["a:", "c"]] },
  "a line break in a name": { headers: [["a\r\nb", "c"]] },
  "a name that ends in LF": { headers: [["a\n", "c"]] },
  "a value that ends in LF": { headers: [["a", "c\n"]] },
  "a Latin-1 name": { headers: [["\xe9", "c"]] },
  Host: { headers: [["Host", "a"]] },
  "a Content-Length": { headers: [["content-length", "1"]] },
  "a Transfer-Encoding": { headers: [["TRANSFER-ENCODING", "chunked"]] },
  Connection: { headers: [["connection", "close"]] },
  "an empty method": { method: "" },
  "a blank in the method": { method: "GET /" },
  CONNECT: { method: "CONNECT" },
  "an empty target": { target: "" },
  "a target without a path": { target: "http://other/" },
  "a target of a star": { target: "*" },
  "a blank in the target": { target: "/a b" },
  "a line break in the target": { target: "/a\r\nb: c" },
  "a target that ends in LF": { target: "/a\n" },
  "a Latin-1 target": { target: "/\xe9" },
  "a line break in the host": { origin: { host: "a\r\nb", port: 80 } },
  "a user in the host": { origin: { host: "a@b", port: 80 } },
  "a negative length": { body: { length: -1 } },
  "a length that is no number": { body: { length: Number.NaN } },
  "a length with a fraction": { body: { length: 1.5 } },
};

for (const [name, given] of Object.entries(REFUSED)) {
  test(`writeHead() refuses ${name}`, () => assert.throws(() => written(given), isLocal));
}

function isLocal(error: unknown): boolean {
  return error instanceof Http1Failure && error.kind === "local";
}

test("a message about a header does not show its value", () => {
  assert.throws(
    () => written({ headers: [["Authorization", "Bearer s3cret\n"]] }),
    (error: Error) => {
      return error.message.includes("Authorization") && !error.message.includes("s3cret");
    },
  );
});

test("BodyWriter frames chunks, each in one array", () => {
  const body = new BodyWriter("chunked");
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");
  assert.equal(text(body.data(Buffer.from("hello"))), "5\r\nhello\r\n");
  assert.ok(text(body.data(new Uint8Array(0x1_2345))).startsWith("12345\r\n\0"));
  assert.equal(text(body.end()), "0\r\n\r\n");
});

test("BodyWriter passes on a body of the promised length", () => {
  const body = new BodyWriter({ length: 5 });
  const bytes = Buffer.from("hel");
  assert.equal(body.data(bytes), bytes);
  assert.throws(() => body.end(), isLocal);
  assert.equal(body.data(Buffer.from("lo")).length, 2);
  assert.throws(() => body.data(Buffer.from("!")), isLocal);
  assert.equal(body.end().length, 0);
});

test("BodyWriter takes no byte where no body was promised", () => {
  assert.throws(() => new BodyWriter("none").data(Buffer.from("!")), isLocal);
  assert.equal(new BodyWriter("none").end().length, 0);
});
