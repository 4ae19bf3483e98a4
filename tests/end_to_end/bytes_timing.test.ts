import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { after, before, describe, test } from "node:test";
import { EchoBackend } from "../support/echo_backend.ts";
import { cannotOverPlain } from "../support/link_form.ts";
import { Pair } from "../support/pair.ts";
import { cannotOn } from "../support/program.ts";

/** What the backend has written is with the client before the backend writes more: nothing waits for company. */

const HEAD_WAITS = cannotOn(
  "bun",
  "Bun.serve keeps the end of the head back until the body's first byte (oven-sh/bun#33660)",
);
const LIMIT = { timeout: 20_000 };

describe("the timing of an answer", () => {
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

  /** Answers with `chunks`, each only when the client has said that it has all those before. */
  async function lockStep(type: string, chunks: readonly Uint8Array[], length?: number) {
    let seen: (bytes: number) => void = () => {};
    let written = 0;
    backend.on("/stream", async (request, response) => {
      request.resume();
      response.writeHead(200, { "content-type": type, ...(length && { "content-length": length }) });
      for (const chunk of chunks) {
        const taken = new Promise<void>((resolve) => {
          let missing = chunk.length;
          seen = (bytes) => {
            missing -= bytes;
            if (missing === 0) resolve();
          };
        });
        response.write(chunk);
        written++;
        await taken;
      }
      response.end();
    });
    const response = await fetch(`${pair.url}/stream`, { method: "POST", body: '{"stream":true}' });
    const got: Uint8Array[] = [];
    const writtenWhenGot: number[] = [];
    for await (const piece of response.body!) {
      got.push(piece);
      writtenWhenGot.push(written);
      seen(piece.length);
    }
    return { response, bytes: Buffer.concat(got), writtenWhenGot };
  }

  test("each event is seen before the next is sent", LIMIT, async () => {
    const events = Array.from({ length: 50 }, (_, n) => Buffer.from(`data: {"token":${n}}\n\n`));
    const { response, bytes, writtenWhenGot } = await lockStep("text/event-stream", events);
    assert.equal(bytes.toString(), events.join(""));
    assert.deepEqual(
      writtenWhenGot,
      events.map((_, n) => n + 1),
    );
    assert.equal(response.headers.get("x-accel-buffering"), "no");
  });

  test("pieces of a download too, with a length or without", {
    ...LIMIT,
    skip: cannotOverPlain("eventStreams"),
  }, async () => {
    const chunks = [1, 5, 70_000, 3, 100_000, 1].map((size, n) => Buffer.alloc(size, n));
    for (const length of [undefined, 170_010]) {
      const { response, bytes } = await lockStep("application/octet-stream", chunks, length);
      assert.ok(bytes.equals(Buffer.concat(chunks)));
      assert.equal(response.headers.get("x-accel-buffering"), null);
    }
  });

  test("a character that is cut in two stays cut, and what is no character passes", {
    ...LIMIT,
    skip: cannotOverPlain("text"),
  }, async () => {
    const text = Buffer.from('data: "é😀"\n\n');
    const cut = [...text].map((byte) => Buffer.from([byte]));
    const broken = [
      Buffer.from([0xff]),
      Buffer.from([0xc3]),
      Buffer.from([0x28, 0x00]),
      Buffer.from([0xed, 0xa0]),
    ];
    const chunks = [...cut, ...broken];
    const { bytes, writtenWhenGot } = await lockStep("text/event-stream; charset=utf-8", chunks);
    assert.equal(bytes.toString("hex"), Buffer.concat(chunks).toString("hex"));
    assert.equal(writtenWhenGot.length, chunks.length);
  });

  for (const type of ["text/event-stream", "application/json"]) {
    test(`the head is seen though the first byte of ${type} is late`, {
      ...LIMIT,
      skip: HEAD_WAITS ?? (type === "text/event-stream" ? undefined : cannotOverPlain("eventStreams")),
    }, async () => {
      let held: ServerResponse | undefined;
      backend.on("/late", (request, response) => {
        request.resume();
        response.writeHead(200, { "content-type": type, "x-model-loading": "yes" });
        response.flushHeaders();
        held = response;
      });
      const response = await fetch(`${pair.url}/late`, { method: "POST", body: '{"stream":true}' });
      assert.deepEqual([response.status, response.headers.get("x-model-loading")], [200, "yes"]);
      held!.end("data: at last\n\n");
      assert.equal(await response.text(), "data: at last\n\n");
    });
  }

  test("what a client sends is with the backend before it sends more", {
    ...LIMIT,
    skip: cannotOverPlain("wholeRequests"),
  }, async () => {
    let arrived: (piece: string) => void = () => {};
    backend.on("/upload", async (request, response) => {
      for await (const piece of request) arrived(piece.toString());
      response.end("done");
    });
    const sent = ["one", "two", "three"];
    const seen: string[] = [];
    const body = new ReadableStream<Uint8Array>({
      async start(controller) {
        for (const piece of sent) {
          const there = new Promise<string>((resolve) => {
            arrived = resolve;
          });
          controller.enqueue(new TextEncoder().encode(piece));
          seen.push(await there);
        }
        controller.close();
      },
    });
    const options = { method: "POST", body, duplex: "half", headers: { "content-type": "audio/wav" } };
    const response = await fetch(`${pair.url}/upload`, options as RequestInit);
    assert.equal(await response.text(), "done");
    assert.deepEqual(seen, sent);
  });
});
