import assert from "node:assert/strict";
import { test } from "node:test";
import type { Runtime } from "../../../shared/runtime/ports.ts";
import { until } from "../../support/until.ts";
import { lacks } from "./differences.ts";
import { bytesOf, get, MIB, RawClient, serve } from "./set_up.ts";
import { CHUNK, fill, TestBody } from "./test_body.ts";

const LAST_CHUNK = "0\r\n\r\n";

/** One request that is answered with `body`, from `serve` to the client. */
async function streaming(runtime: Runtime, body: TestBody, request = get("/")) {
  const server = await serve(runtime, () => new Response(runtime.streamingBody(body)));
  const client = new RawClient(server.port, request);
  const end = async () => {
    client.socket.destroy();
    await server[Symbol.asyncDispose]();
  };
  return { client, [Symbol.asyncDispose]: end };
}

export function streamingContract(runtime: Runtime): void {
  test("each flush reaches the client before the next chunk is written", async () => {
    const body = new TestBody();
    await using exchange = await streaming(runtime, body);
    const { client } = exchange;
    const sink = await body.started();
    for (const text of ["one", "two", "three"]) {
      sink.write(bytesOf(text));
      sink.flush();
      await client.until(() => client.body.includes(text), text);
    }
    sink.end();
    await client.complete();
    assert.equal(client.header("transfer-encoding"), "chunked");
    assert.deepEqual([body.cancels, body.drains], [0, 0]);
  });

  test("the head is sent before there is a body", { skip: lacks(runtime, "headBeforeBody") }, async () => {
    const body = new TestBody();
    await using exchange = await streaming(runtime, body);
    await exchange.client.until(() => exchange.client.text.includes("\r\n\r\n"), "a head");
  });

  test("a body without a byte ends cleanly", async () => {
    const body = new TestBody();
    body.onStart = (sink) => sink.end();
    await using exchange = await streaming(runtime, body);
    await exchange.client.complete();
    assert.equal(exchange.client.body.replace(LAST_CHUNK, ""), "");
  });

  test("the connection serves the next request after a streamed body", async () => {
    const body = new TestBody();
    body.onStart = (sink) => {
      sink.write(bytesOf("first"));
      sink.flush();
      setTimeout(() => sink.end());
    };
    await using server = await serve(runtime, (_, { target }) => {
      return new Response(target === "/1" ? runtime.streamingBody(body) : "second");
    });
    using client = new RawClient(server.port, get("/1"));
    await client.complete();
    client.socket.write(get("/2"));
    await client.until(() => client.text.endsWith("second"), "the second answer");
  });

  test("HEAD with a streamed body writes nothing of it and lets it go", async () => {
    const body = new TestBody();
    await using exchange = await streaming(runtime, body, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    await exchange.client.until(() => exchange.client.text.includes("\r\n\r\n"), "a head");
    await until(() => body.cancels === 1, "cancel");
    assert.equal(exchange.client.body, "");
  });

  for (const { when, before } of [
    { when: "before its first byte", before: "" },
    { when: "in the middle", before: "some of it" },
  ]) {
    test(`a body that breaks off ${when} breaks the connection`, async () => {
      const body = new TestBody();
      await using exchange = await streaming(runtime, body);
      const { client } = exchange;
      const sink = await body.started();
      if (before) {
        sink.write(bytesOf(before));
        sink.flush();
        await client.until(() => client.body.includes(before), "what came before");
      }
      sink.abort();
      await client.closed();
      assert.ok(!client.text.endsWith(LAST_CHUNK), "no last chunk");
      assert.ok(!/^content-length/im.test(client.text), "no length that would make it whole");
      // All of this is after the end, and does nothing.
      sink.write(bytesOf("more"));
      sink.flush();
      sink.end();
      sink.abort();
      assert.deepEqual([body.cancels, body.drains], [0, 0]);
    });
  }

  test("a body that breaks off while the client is behind breaks the connection", async () => {
    const body = new TestBody();
    await using exchange = await streaming(runtime, body);
    const { client } = exchange;
    client.socket.pause();
    const sink = await body.started();
    await fill(sink, body);
    sink.abort();
    client.socket.resume();
    await client.closed();
    assert.ok(!client.text.endsWith(LAST_CHUNK), "no last chunk");
    assert.equal(body.cancels, 0);
  });

  test("a client that leaves an idle body is told of within a second", async () => {
    const body = new TestBody();
    await using exchange = await streaming(runtime, body);
    const sink = await body.started();
    exchange.client.socket.destroy();
    await until(() => body.cancels === 1, "cancel", 1000);
    sink.write(CHUNK);
    sink.flush();
    sink.end();
    assert.deepEqual([body.cancels, body.drains], [1, 0]);
  });

  test("a client that leaves a body that it did not read is told of within a second", async () => {
    const body = new TestBody();
    await using exchange = await streaming(runtime, body);
    exchange.client.socket.pause();
    const sink = await body.started();
    await fill(sink, body);
    exchange.client.socket.destroy();
    await until(() => body.cancels === 1, "cancel", 1000);
  });

  test("a client that reads nothing stops the writer, and nothing is lost when it goes on", async () => {
    const body = new TestBody();
    await using exchange = await streaming(runtime, body);
    const { client } = exchange;
    client.socket.pause();
    const sink = await body.started();
    const written = await fill(sink, body);
    assert.ok(written < 16 * MIB, `${written} bytes were taken`);
    client.socket.resume();
    await until(() => body.drains === 1, "drain");
    sink.write(bytesOf("the end"));
    sink.end();
    await client.until(() => client.text.endsWith(LAST_CHUNK), "the last chunk");
    assert.equal(unchunked(client.received).length, written + "the end".length);
  });

  test("what was written is the writer's again, also while the client is behind", async () => {
    const body = new TestBody();
    await using exchange = await streaming(runtime, body);
    const { client } = exchange;
    client.socket.pause();
    const sink = await body.started();
    // More than any kernel takes, in pieces of all sizes.
    const lengths = [1, 1000, MIB, 16 * 1024, 64 * 1024, 8 * MIB, 10, 300 * 1024];
    const sent = lengths.map((length, at) => new Uint8Array(length).fill(97 + at));
    for (const piece of sent) {
      const bytes = piece.slice();
      sink.write(bytes);
      sink.flush();
      bytes.fill(0);
    }
    sink.end();
    client.socket.resume();
    await client.until(() => client.text.endsWith(LAST_CHUNK), "the last chunk");
    assert.ok(Buffer.concat(sent).equals(unchunked(client.received)));
  });

  test("ending a body while the client is behind loses nothing", async () => {
    const body = new TestBody();
    await using exchange = await streaming(runtime, body);
    const { client } = exchange;
    client.socket.pause();
    const sink = await body.started();
    const written = await fill(sink, body);
    sink.end();
    client.socket.resume();
    await client.until(() => client.text.endsWith(LAST_CHUNK), "the last chunk");
    assert.equal(unchunked(client.received).length, written);
  });

  test("a long body with a writer that waits comes through at any pace", async () => {
    const size = 64 * MIB;
    let left = size;
    const body = new TestBody();
    body.onStart = body.onDrain = (sink) => {
      while (left > 0) {
        left -= CHUNK.length;
        if (!sink.write(CHUNK.slice())) return;
      }
      sink.end();
    };
    await using server = await serve(runtime, () => new Response(runtime.streamingBody(body)));
    const response = await fetch(`http://127.0.0.1:${server.port}/`);
    let length = 0;
    for await (const chunk of response.body!) length += chunk.length;
    assert.equal(length, size);
  });

  test("a client that left before the response was returned leaves no body behind", async () => {
    const body = new TestBody();
    const gone = Promise.withResolvers<void>();
    let asked = false;
    await using server = await serve(runtime, async (_, context) => {
      context.onGone(gone.resolve);
      if (context.target === "/next") return new Response("next");
      asked = true;
      await gone.promise;
      return new Response(runtime.streamingBody(body));
    });
    using client = new RawClient(server.port, get("/"));
    await until(() => asked, "the request");
    client.socket.destroy();
    await gone.promise;
    // Started or not, a body that nobody takes may be written to its end.
    body.sink?.write(CHUNK);
    body.sink?.end();
    using next = new RawClient(server.port, get("/next"));
    await next.complete();
  });
}

/** The length of a chunked body, framing taken off. */
function unchunked(response: Buffer): Buffer {
  let at = response.indexOf("\r\n\r\n") + 4;
  const chunks: Buffer[] = [];
  for (;;) {
    const end = response.indexOf("\r\n", at);
    const size = Number.parseInt(response.toString("latin1", at, end), 16);
    if (size === 0) return Buffer.concat(chunks);
    chunks.push(response.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
}
