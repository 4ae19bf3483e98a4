import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { EchoBackend, type Received, sha256, valuesOf } from "../support/echo_backend.ts";
import { cannotOverPlain, LINK_FORM } from "../support/link_form.ts";
import { Pair } from "../support/pair.ts";

/** Bodies arrive as they were sent: every size at which something changes hands, both ways, alone and together. */

const KIB = 1024;
const MIB = KIB * KIB;
/** 64 KiB is a frame of the link, 256 KiB the window of an exchange, 1 MiB what is peeked at and kept. */
const SIZES = [
  0,
  1,
  KIB - 1,
  64 * KIB - 1,
  64 * KIB,
  64 * KIB + 1,
  256 * KIB,
  MIB - 1,
  MIB,
  MIB + 1,
  // One message of a plain link has 15 MiB.
  (LINK_FORM === "plain" ? 14 : 20) * MIB,
];
const LIMIT = { timeout: 60_000 };

/** What links of the run carry: any bytes, or text. */
const TYPE = LINK_FORM === "plain" ? "text/plain" : "application/octet-stream";
function bodyOf(size: number): Buffer {
  if (LINK_FORM === "framed") return randomBytes(size);
  return Buffer.from(randomBytes(size).toString("base64").slice(0, size));
}

describe("bodies", () => {
  let backend: EchoBackend;
  let pair: Pair;

  before(async () => {
    backend = await EchoBackend.start();
    backend.on("/download", async (request, response) => {
      const query = new URLSearchParams(request.url!.split("?")[1]);
      const bytes = downloads[Number(query.get("n"))]!;
      const headers = query.has("length") ? { "content-length": bytes.length } : {};
      response.writeHead(200, { "content-type": TYPE, ...headers });
      for (let at = 0; at < bytes.length; at += PIECE) {
        if (!response.write(bytes.subarray(at, at + PIECE))) {
          await new Promise((resolve) => response.once("drain", resolve));
        }
      }
      response.end();
    });
    pair = await Pair.start(backend.url, { worker: ["--max-concurrency", "64"] });
  });

  after(async () => {
    await pair?.[Symbol.asyncDispose]();
    await backend?.[Symbol.asyncDispose]();
  });

  /** A prime: its pieces fall on no border of ours. */
  const PIECE = 48_611;
  const downloads = SIZES.map(bodyOf);

  async function upload(bytes: Buffer, streamed: boolean): Promise<Received> {
    const body = streamed ? pieces(bytes) : bytes;
    const response = await fetch(`${pair.url}/upload`, {
      method: "POST",
      body,
      headers: { "content-type": TYPE },
      duplex: "half",
    } as RequestInit);
    assert.equal(response.status, 200);
    return (await response.json()) as Received;
  }

  function pieces(bytes: Buffer): ReadableStream<Uint8Array> {
    let at = 0;
    return new ReadableStream({
      pull(controller) {
        if (at >= bytes.length) return controller.close();
        controller.enqueue(new Uint8Array(bytes.subarray(at, at + PIECE)));
        at += PIECE;
      },
    });
  }

  async function download(n: number, withLength: boolean): Promise<string> {
    const response = await fetch(`${pair.url}/download?n=${n}${withLength ? "&length" : ""}`);
    assert.equal(response.status, 200);
    return sha256(new Uint8Array(await response.arrayBuffer()));
  }

  for (const [n, size] of SIZES.entries()) {
    test(`${size} bytes up, with their length and without`, LIMIT, async () => {
      const bytes = bodyOf(size);
      const known = await upload(bytes, false);
      assert.deepEqual([known.length, known.sha256], [size, sha256(bytes)]);
      assert.deepEqual(valuesOf(known, "content-length"), [String(size)]);
      const streamed = await upload(bytes, true);
      assert.deepEqual([streamed.length, streamed.sha256], [size, sha256(bytes)]);
    });

    test(`${size} bytes down, with their length and without`, LIMIT, async () => {
      const wanted = sha256(downloads[n]!);
      assert.equal(await download(n, true), wanted);
      assert.equal(await download(n, false), wanted);
    });
  }

  test("all of them at once, both ways", LIMIT, async () => {
    const uploads = SIZES.map(async (size) => {
      const bytes = bodyOf(size);
      assert.equal((await upload(bytes, size % 2 === 0)).sha256, sha256(bytes));
    });
    const taken = SIZES.map(async (_, n) =>
      assert.equal(await download(n, n % 2 === 0), sha256(downloads[n]!)),
    );
    assert.equal((await Promise.all([...uploads, ...taken])).length, 2 * SIZES.length);
  });

  test("bytes that are no UTF-8 pass in JSON, which is nobody's business here", {
    ...LIMIT,
    skip: cannotOverPlain("text"),
  }, async () => {
    const body = Buffer.concat([Buffer.from('{"model":"x","prompt":"'), randomBytes(64), Buffer.from('"}')]);
    const response = await fetch(`${pair.url}/v1/completions`, {
      method: "POST",
      body: new Uint8Array(body),
      headers: { "content-type": "application/json" },
    });
    assert.equal(((await response.json()) as Received).sha256, sha256(body));
  });

  test("JSON arrives byte for byte: spaces, doubled keys, big numbers, escapes", LIMIT, async () => {
    const body =
      '\r\n { "model" : "x",  "n":1e400,"n":9007199254740993, "t":"\\u00e9\\/", "provider":"mine" } \n';
    const response = await fetch(`${pair.url}/v1/chat/completions`, {
      method: "POST",
      body,
      headers: { "content-type": "application/json; charset=utf-8" },
    });
    assert.equal(((await response.json()) as Received).sha256, sha256(Buffer.from(body)));
  });
});
