import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import http from "node:http";
import { test } from "node:test";
import type { BytePeer } from "./byte_backend.ts";
import type { ResponseCase } from "./response_case.ts";
import { type Setup, succeed, withBackend } from "./test_client.ts";
import { VALID_BODIES } from "./valid_bodies.ts";
import { VALID_HEADS } from "./valid_heads.ts";

interface Seen {
  status: number;
  headers: [string, string][];
  body: string;
}

/** What node:http, or that of one runtime, refuses, and why it is taken here. */
const REFUSED_BY_NODE: Record<string, string> = {
  "a head of 64 KiB": "its limit is lower",
  "blanks around a value": "RFC 9110 5.5 trims tabs, also those around a Content-Length",
  "the same length twice": "RFC 9110 8.6 lets a recipient take it, only differing ones are ambiguous",
  "the same length in a list": "as above",
  "blanks before a chunk extension": "RFC 9112 7.1.1 has BWS there",
  "no extension behind the semicolon": "extensions are dropped unread",
  "a length among the trailers means nothing": "trailers are dropped unread",
};

async function seenByNode({ method = "GET" }: ResponseCase, port: number): Promise<Seen> {
  const request = http.request({ host: "127.0.0.1", port, method, agent: false });
  request.end();
  const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
    request.once("response", resolve);
    request.once("error", reject);
  });
  const pieces: Uint8Array[] = [];
  for await (const piece of response) pieces.push(piece as Uint8Array);
  const raw = response.rawHeaders;
  const headers = Array.from({ length: raw.length / 2 }, (_, at): [string, string] => [
    raw[2 * at]!,
    raw[2 * at + 1]!,
  ]);
  return { status: response.statusCode!, headers, body: Buffer.concat(pieces).toString("latin1") };
}

function comparable({ status, headers, body }: Seen): Seen {
  return { status, headers: headers.map(([name, value]) => [name.toLowerCase(), value]), body };
}

const CASES = [...VALID_HEADS, ...VALID_BODIES].filter(({ ends }) => ends !== "switched");

test("the exceptions are of cases that exist", () => {
  const names = CASES.map(({ name }) => name);
  for (const name of Object.keys(REFUSED_BY_NODE)) assert.ok(names.includes(name), name);
});

for (const each of CASES) {
  test(`node:http agrees: ${each.name}`, () => {
    const serve = (peer: BytePeer) => void peer.socket.once("data", () => peer.end(each.bytes));
    return withBackend(async (setup) => assertAgreed(each, setup), { serve });
  });
}

async function assertAgreed(each: ResponseCase, setup: Setup): Promise<void> {
  const { head, text } = await succeed(setup, { method: each.method ?? "GET" });
  const ours = { status: head!.status, headers: head!.headers, body: text };
  const theirs = await seenByNode(each, setup.backend.port).catch((error) => {
    if (each.name in REFUSED_BY_NODE) return ours;
    throw error;
  });
  assert.deepEqual(comparable(ours), comparable(theirs));
}
