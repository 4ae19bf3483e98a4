import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { Http1Client } from "../../../shared/http1/client.ts";
import { runtime } from "../../../shared/runtime/current.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { Recorded, type Sent } from "./test_client.ts";

/** What a server that is not ours made of a request. */
interface Understood {
  method: string;
  target: string;
  /** Without those that the client writes by itself; names in lower case. */
  headers: [string, string][];
  bodyBytes: number;
  bodyHash: string;
}

const OWN = new Set(["host", "connection", "content-length", "transfer-encoding"]);

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Send these one after the other to a `node:http` server that answers with what it understood. */
async function understoodBy(requests: { sent: Sent; pieces?: Uint8Array[] }[]): Promise<Understood[]> {
  const server = http.createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = { host: "127.0.0.1", port: (server.address() as AddressInfo).port };
  const client = new Http1Client({ runtime, clock: new FakeClock() });
  try {
    const understood: Understood[] = [];
    for (const { sent, pieces } of requests) {
      const one = new Recorded(client, origin, sent);
      for (const piece of pieces ?? []) one.exchange.write(piece);
      if (pieces) one.exchange.end();
      await one.over;
      assert.equal(one.failure, undefined);
      understood.push(JSON.parse(one.body.toString()));
    }
    assert.equal(client.connections, 1, "every answer was complete and left the connection open");
    return understood;
  } finally {
    client.close();
    await new Promise((resolve) => server.close(resolve));
  }
}

async function answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
  const pieces: Uint8Array[] = [];
  for await (const piece of request) pieces.push(piece as Uint8Array);
  const body = Buffer.concat(pieces);
  const headers: [string, string][] = [];
  for (let at = 0; at < request.rawHeaders.length; at += 2) {
    const name = request.rawHeaders[at]!.toLowerCase();
    if (!OWN.has(name)) headers.push([name, request.rawHeaders[at + 1]!]);
  }
  const { method = "", url: target = "" } = request;
  response.end(JSON.stringify({ method, target, headers, bodyBytes: body.length, bodyHash: sha256(body) }));
}

const MIB = new Uint8Array(1024 * 1024).map((_, at) => (at * 31) % 251);
const SMALL = Buffer.from("h\xe9llo\0\r\n", "latin1");

const REQUESTS: Record<string, { sent: Sent; pieces?: Uint8Array[] }> = {
  "a GET": { sent: { target: "/a%2Fb?c=d&c=e&f" } },
  "a DELETE": { sent: { method: "DELETE", target: "/" } },
  "a POST without a body": { sent: { method: "POST" } },
  "header fields": {
    sent: {
      headers: [
        ["X-B", "1"],
        ["x-a", "two words"],
        ["x-empty", ""],
      ],
    },
  },
  "Latin-1 header fields": { sent: { headers: [["x-latin", "caf\xe9"]] } },
  "repeated header fields": {
    sent: {
      headers: [
        ["x-a", "1"],
        ["x-b", "2"],
        ["x-a", "3"],
      ],
    },
  },
  "a body of no bytes": { sent: { method: "PUT", body: { length: 0 } }, pieces: [] },
  "a body sent with the head": {
    sent: { method: "POST", body: { length: SMALL.length }, firstBytes: SMALL },
  },
  "a body by length": { sent: { method: "POST", body: { length: 16 } }, pieces: [SMALL, SMALL] },
  "1 MiB by length": { sent: { method: "PUT", body: { length: MIB.length } }, pieces: [MIB] },
  "a chunked body": { sent: { method: "POST", body: "chunked" }, pieces: [SMALL, MIB.subarray(0, 1), SMALL] },
  "a chunked body of no bytes": { sent: { method: "POST", body: "chunked" }, pieces: [] },
  "1 MiB chunked": {
    sent: { method: "POST", body: "chunked" },
    pieces: [MIB.subarray(0, 70_000), MIB.subarray(70_000)],
  },
};

test("a node:http server understands every request as it was meant, on one connection", async () => {
  const understood = await understoodBy(Object.values(REQUESTS));
  for (const [at, [name, { sent, pieces }]] of Object.entries(REQUESTS).entries()) {
    const body = Buffer.concat(pieces ?? (sent.firstBytes ? [sent.firstBytes] : []));
    const expected: Understood = {
      method: sent.method ?? "GET",
      target: sent.target ?? "/",
      headers: (sent.headers ?? []).map(([field, value]) => [field.toLowerCase(), value]),
      bodyBytes: body.length,
      bodyHash: sha256(body),
    };
    assert.deepEqual(understood[at], expected, name);
  }
});
