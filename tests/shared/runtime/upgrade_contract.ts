import assert from "node:assert/strict";
import { test } from "node:test";
import type { RequestContext, Runtime } from "../../../shared/runtime/ports.ts";
import { until } from "../../support/until.ts";
import { get, RawClient, serve, Told } from "./set_up.ts";

const HANDSHAKE = [
  "Connection: keep-alive, Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
];

const asking = (...more: string[]) => get("/", [...HANDSHAKE, ...more, ""].join("\r\n"));

export function upgradeContract(runtime: Runtime): void {
  for (const { when, wait } of [
    { when: "at once", wait: () => undefined },
    { when: "after waiting", wait: () => new Promise((resolve) => setTimeout(resolve)) },
  ]) {
    const upgrading = async (upgrade: (context: RequestContext) => Response, request: string) => {
      const server = await serve(runtime, (_, context) => {
        const waited = wait();
        return waited ? waited.then(() => upgrade(context)) : upgrade(context);
      });
      const client = new RawClient(server.port, request);
      await client.until(() => client.text.includes("\r\n\r\n"), "an answer");
      const end = async () => {
        client.socket.destroy();
        await server[Symbol.asyncDispose]();
      };
      return { client, [Symbol.asyncDispose]: end };
    };

    test(`an upgrade ${when} without a protocol chooses none`, async () => {
      for (const offer of [[], ["Sec-WebSocket-Protocol: one, two"]]) {
        await using done = await upgrading((context) => context.upgrade(new Told()), asking(...offer));
        assert.match(done.client.text, /^HTTP\/1.1 101 /);
        assert.equal(done.client.header("sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert.doesNotMatch(done.client.text, /sec-websocket-protocol|sec-websocket-extensions/i);
      }
    });

    test(`an upgrade ${when} with a protocol says which`, async () => {
      const request = asking(
        "Sec-WebSocket-Protocol: one, two",
        "Sec-WebSocket-Extensions: permessage-deflate",
      );
      await using done = await upgrading((context) => context.upgrade(new Told(), "two"), request);
      assert.match(done.client.text, /^HTTP\/1.1 101 /);
      assert.equal(done.client.header("sec-websocket-protocol"), "two");
      assert.equal(done.client.header("sec-websocket-extensions"), "");
    });

    test(`an upgrade ${when} behind a request that was not answered yet ends the connection`, async () => {
      let hasGone = false;
      await using server = await serve(runtime, (_, context) => {
        if (context.target === "/upgrade") return context.upgrade(new Told());
        context.onGone(() => {
          hasGone = true;
        });
        return new Promise<Response>(() => {});
      });
      using client = new RawClient(server.port, get("/") + asking().replace(" / ", " /upgrade "));
      await client.closed();
      assert.equal(client.text, "");
      await until(() => hasGone, "the first request to be over");
    });

    test(`an upgrade that is refused ${when} is an answer like any other`, async () => {
      await using done = await upgrading(() => new Response("not you", { status: 401 }), asking());
      await done.client.complete();
      assert.match(done.client.text, /^HTTP\/1.1 401 /);
      assert.equal(done.client.body, "not you");
    });

    test(`a request that is no upgrade throws a TypeError ${when}`, async () => {
      const without = (name: string) =>
        get("/", [...HANDSHAKE.filter((line) => !line.startsWith(name)), ""].join("\r\n"));
      const requests = [
        get("/"),
        without("Upgrade"),
        without("Sec-WebSocket-Key"),
        asking().replace("GET", "POST"),
      ];
      for (const request of requests) {
        let thrown: unknown;
        await using done = await upgrading((context) => {
          try {
            return context.upgrade(new Told());
          } catch (error) {
            thrown = error;
            return new Response("no upgrade", { status: 400 });
          }
        }, request);
        assert.match(done.client.text, /^HTTP\/1.1 400 /, request);
        assert.ok(thrown instanceof TypeError);
      }
    });
  }

  test("an upgrade of another version is not done", async () => {
    const told = new Told();
    await using server = await serve(runtime, (_, context) => {
      try {
        return context.upgrade(told);
      } catch {
        return new Response(null, { status: 426 });
      }
    });
    using client = new RawClient(server.port, asking().replace("Version: 13", "Version: 8"));
    await client.until(() => client.text.includes("\r\n\r\n"), "an answer");
    assert.match(client.text, /^HTTP\/1.1 426 /);
  });

  test("a client that drops its connection is a close with 1006", async () => {
    const told = new Told();
    await using server = await serve(runtime, (_, context) => context.upgrade(told));
    using client = new RawClient(server.port, asking());
    await client.until(() => client.text.includes("\r\n\r\n"), "an answer");
    client.socket.destroy();
    await until(() => told.closes.length > 0, "the close");
    assert.equal(told.closes[0]![0], 1006);
    assert.equal(told.closes.length, 1);
  });

  test("bytes that are no frame close the socket, once", async () => {
    const told = new Told();
    await using server = await serve(runtime, (_, context) => context.upgrade(told));
    using client = new RawClient(server.port, asking());
    await client.until(() => client.text.includes("\r\n\r\n"), "an answer");
    client.socket.write(Buffer.alloc(64, 0xff));
    await until(() => told.closes.length > 0, "the close");
    client.socket.destroy();
    await client.closed();
    assert.equal(told.closes.length, 1);
    assert.deepEqual(told.messages, []);
  });
}
