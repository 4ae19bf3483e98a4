import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import type { Runtime } from "../../../shared/runtime/ports.ts";
import { settled, until } from "../../support/until.ts";
import { lacks } from "./differences.ts";
import { get, MIB, RawClient, serve } from "./set_up.ts";

/** What a kernel may hold of a body that nobody reads, both ends together, and some margin. */
const KERNEL_BYTES = 16 * MIB;

const CHUNK = new Uint8Array(64 * 1024);

export function httpContract(runtime: Runtime): void {
  test("the peer is an address without a port", async () => {
    await using server = await serve(runtime, (_, { peer, secure }) => new Response(`${peer} ${secure}`));
    using client = new RawClient(server.port, get("/"));
    await client.complete();
    assert.equal(client.body, "127.0.0.1 false");
  });

  test("the peer of a listener on all addresses is written like any other", async () => {
    await using server = await serve(runtime, (_, { peer }) => new Response(peer), { hostname: "::" });
    using client = new RawClient(server.port, get("/"));
    await client.complete();
    assert.equal(client.body, "127.0.0.1");
  });

  test("HEAD, 204 and 304 have no body, and HEAD keeps its length", async () => {
    await using server = await serve(runtime, (request) => {
      const status = Number(new URL(request.url).pathname.slice(1));
      return new Response(null, {
        status,
        headers: request.method === "HEAD" ? { "content-length": "1234" } : {},
      });
    });
    for (const [method, status, length] of [
      ["HEAD", 200, "1234"],
      ["GET", 204, ""],
      ["GET", 304, ""],
    ] as const) {
      using client = new RawClient(
        server.port,
        `${method} /${status} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
      );
      await client.closed();
      assert.match(client.text, new RegExp(`^HTTP/1.1 ${status} `));
      assert.equal(client.header("content-length"), length, `${method} ${status}`);
      assert.equal(client.body, "", `${method} ${status}`);
    }
  });

  test("205 says that it has no body, so that nobody waits for one", async () => {
    await using server = await serve(runtime, () => new Response(null, { status: 205 }));
    using client = new RawClient(server.port, get("/"));
    await client.complete();
    assert.match(client.text, /^HTTP\/1.1 205 /);
    assert.equal(client.header("content-length"), "0");
  });

  test("a line feed alone ends no line", async () => {
    let asked = 0;
    await using server = await serve(runtime, () => {
      asked++;
      return new Response();
    });
    for (const head of [
      "GET / HTTP/1.1\nHost: a\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nA: b\nC: d\r\n\r\n",
    ]) {
      using client = new RawClient(server.port, head);
      await client.closed();
      assert.match(client.text, /^HTTP\/1.1 (400|505) /);
    }
    assert.equal(asked, 0);
  });

  test("of several lines of a field each one is told, also an empty one", async () => {
    await using server = await serve(runtime, ({ headers }) => {
      const walked = [...headers].find(([name]) => name === "a");
      return Response.json([headers.get("a"), walked?.[1]]);
    });
    for (const [lines, told] of [
      ["A:\r\na: v\r\n", /^, ?v$/],
      ["A: v\r\na:\r\n", /^v, ?$/],
      ["A:\r\na:\r\nA: v\r\n", /^,[ ,]*v$/],
      ["A:\r\nB: v\r\n", /^$/],
    ] as const) {
      using client = new RawClient(server.port, get("/", lines));
      await client.complete();
      for (const value of JSON.parse(client.body)) assert.match(value, told, JSON.stringify(lines));
    }
  });

  test("nothing is compressed and no encoding is undone", async () => {
    const body = "a".repeat(10_000);
    await using server = await serve(runtime, (request) => {
      const encoded = request.url.endsWith("/encoded");
      return new Response(body, {
        headers: encoded ? { "content-encoding": "gzip" } : { "content-type": "text/plain" },
      });
    });
    for (const path of ["/", "/encoded"]) {
      using client = new RawClient(server.port, get(path, "Accept-Encoding: gzip, br\r\n"));
      await client.complete();
      assert.equal(client.body, body);
    }
  });

  test("a handler that throws is a 500 that says nothing", async () => {
    await using server = await serve(runtime, async (request) => {
      if (request.url.endsWith("/late")) await Promise.resolve();
      throw new Error("secret");
    });
    for (const path of ["/", "/late"]) {
      using client = new RawClient(server.port, get(path));
      await client.complete();
      assert.match(client.text, /^HTTP\/1.1 500 /);
      assert.equal(client.body, "");
    }
  });

  test("a response that cannot be written harms no other", async () => {
    let cancels = 0;
    await using server = await serve(runtime, (_, { target }) => {
      if (target === "/next") return new Response("next");
      const body =
        target === "/stream"
          ? runtime.streamingBody({ start: (sink) => sink.end(), drain() {}, cancel: () => cancels++ })
          : "whole";
      // A Response takes this, and RFC 9110 5.5 does not.
      return new Response(body, { headers: { "x-control": "a\x01b" } });
    });
    for (const path of ["/stream", "/whole"]) {
      using client = new RawClient(server.port, get(path));
      await client.until(
        () => client.text.includes("\r\n\r\n") || client.ended !== "no",
        "an answer or the end",
      );
      using next = new RawClient(server.port, get("/next"));
      await next.complete();
      assert.equal(next.body, "next");
    }
    assert.ok(cancels <= 1);
  });

  test("a body arrives whole and in order", async () => {
    await using server = await serve(runtime, async (request) => new Response(await digest(request.body!)));
    const body = Buffer.alloc(24 * MIB, "0123456789abcdef-");
    using client = new RawClient(
      server.port,
      `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`,
    );
    client.socket.write(body);
    await client.complete();
    assert.equal(client.body, createHash("sha256").update(body).digest("hex"));
  });

  test("an upload stops while nobody reads it, and goes on", async () => {
    const read = Promise.withResolvers<void>();
    await using server = await serve(runtime, async (request) => {
      const reader = request.body!.getReader();
      const { value } = await reader.read();
      await read.promise;
      let length = value!.length;
      for (let next = await reader.read(); !next.done; next = await reader.read())
        length += next.value.length;
      return new Response(String(length));
    });
    const size = 96 * MIB;
    using client = new RawClient(
      server.port,
      `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`,
    );
    let taken = 0;
    const push = () => {
      if (taken === size) return;
      taken += CHUNK.length;
      client.socket.write(CHUNK, push);
    };
    push();
    await until(() => taken > MIB, "the first bytes");
    const stalled = await settled(() => taken);
    assert.ok(stalled < KERNEL_BYTES, `${stalled} bytes were taken`);
    read.resolve();
    await client.complete();
    assert.equal(client.body, String(size));
  });

  test("a body whose reader wants no more of it can be answered, and the connection goes on or ends", async () => {
    const rest = Promise.withResolvers<void>();
    let sent = 0;
    await using server = await serve(runtime, async (request, { target }) => {
      if (target === "/next") return new Response("next");
      const reader = request.body!.getReader();
      await reader.read();
      const waiting = reader.read();
      await reader.cancel();
      assert.equal((await waiting).done, true);
      // It goes on arriving before there is an answer.
      rest.resolve();
      await settled(() => sent);
      return new Response("enough");
    });
    using client = new RawClient(server.port, `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${MIB}\r\n\r\n`);
    for (; sent < MIB; sent += CHUNK.length) {
      client.socket.write(CHUNK);
      await rest.promise;
    }
    await client.until(() => client.text.includes("enough"), "the answer");
    client.socket.write(get("/next"));
    await client.until(
      () => client.text.endsWith("next") || client.ended !== "no",
      "the next answer or the end",
    );
  });

  test("a body over the limit is refused", { skip: lacks(runtime, "bodyLimit") }, async () => {
    await using server = await serve(runtime, async (request) => new Response(await request.text()), {
      maxRequestBodyBytes: 1000,
    });
    using client = new RawClient(server.port, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n");
    await client.until(() => client.text.includes("\r\n\r\n"), "a refusal");
    assert.match(client.text, /^HTTP\/1.1 413 /);
  });

  test("five hundred requests at a time are all answered", async () => {
    const all = Promise.withResolvers<void>();
    let open = 0;
    await using server = await serve(runtime, async (_, { target }) => {
      if (++open === 500) all.resolve();
      await all.promise;
      return new Response(target);
    });
    const clients = Array.from({ length: 500 }, (_, i) => new RawClient(server.port, get(`/${i}`)));
    await Promise.all(clients.map((client) => client.complete()));
    for (const [i, client] of clients.entries()) {
      assert.equal(client.body, `/${i}`);
      client.socket.destroy();
    }
  });
}

async function digest(body: ReadableStream<Uint8Array>): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of body) hash.update(chunk);
  return hash.digest("hex");
}
