import assert from "node:assert/strict";
import { test } from "node:test";
import type { RequestContext, Runtime } from "../../../shared/runtime/ports.ts";
import { until } from "../../support/until.ts";
import { get, RawClient, serve } from "./set_up.ts";

/** That somebody is told when a client leaves, so that nobody works for it any longer. */
export function leavingContract(runtime: Runtime): void {
  test("a client that leaves before there is a response is told of once", async () => {
    let gone = 0;
    const answer = Promise.withResolvers<Response>();
    let asked = false;
    await using server = await serve(runtime, (_, context) => {
      context.onGone(() => gone++);
      asked = true;
      return answer.promise;
    });
    using client = new RawClient(server.port, get("/"));
    await until(() => asked, "the request");
    client.socket.destroy();
    await until(() => gone === 1, "onGone", 1000);
    answer.resolve(new Response("nobody is there"));
  });

  // Deno.serve looked at such a connection again when there was an answer, so that a request held its slot for nobody.
  for (const { when, read } of [
    { when: "was read", read: true },
    { when: "was not looked at", read: false },
  ]) {
    test(`a client that leaves is told of when its body, which came behind the head, ${when}`, async () => {
      let gone = 0;
      const asked = Promise.withResolvers<void>();
      const ready = Promise.withResolvers<void>();
      const answer = Promise.withResolvers<Response>();
      await using server = await serve(runtime, async (request, context) => {
        context.onGone(() => gone++);
        asked.resolve();
        if (read) assert.equal(await request.text(), "abc");
        ready.resolve();
        return answer.promise;
      });
      using client = new RawClient(server.port, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n");
      await asked.promise;
      client.socket.write("abc");
      await ready.promise;
      client.socket.destroy();
      await until(() => gone === 1, "onGone", 1000);
      answer.resolve(new Response("nobody is there"));
    });
  }

  for (const method of ["GET", "POST"]) {
    test(`who asks late is told of a client that has left (${method})`, async () => {
      let gone = 0;
      const asked = Promise.withResolvers<RequestContext>();
      const answer = Promise.withResolvers<Response>();
      await using server = await serve(runtime, async (request, context) => {
        if (method === "POST") await request.bytes();
        asked.resolve(context);
        return answer.promise;
      });
      using client = new RawClient(server.port, get("/").replace("GET", method));
      const context = await asked.promise;
      client.socket.destroy();
      // Each is told of it, at once or when it is known.
      await until(() => {
        context.onGone(() => gone++);
        return gone > 0;
      }, "onGone");
      const before = gone;
      context.onGone(() => gone++);
      assert.equal(gone, before + 1);
      answer.resolve(new Response("nobody is there"));
    });
  }

  test("a client that leaves while its body is read ends the reading", async () => {
    let gone = 0;
    let state = "waiting";
    await using server = await serve(runtime, async (request, context) => {
      context.onGone(() => gone++);
      state = "reading";
      await request.text().catch(() => {
        state = "failed";
      });
      return new Response();
    });
    using client = new RawClient(
      server.port,
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc",
    );
    await until(() => state === "reading", "the request");
    client.socket.destroy();
    await until(() => state === "failed", "the end of the body", 1000);
    assert.ok(gone <= 1);
  });

  test("an answered request is never gone", async () => {
    let gone = 0;
    await using server = await serve(runtime, (_, context) => {
      context.onGone(() => gone++);
      return new Response("x");
    });
    using client = new RawClient(server.port, get("/"));
    await client.complete();
    client.socket.destroy();
    using next = new RawClient(server.port, get("/"));
    await next.complete();
    assert.equal(gone, 0);
  });
}
