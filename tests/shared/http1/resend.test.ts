import assert from "node:assert/strict";
import { test } from "node:test";
import type { RequestBody } from "../../../shared/http1/types.ts";
import type { BytePeer } from "./byte_backend.ts";
import { fail, type Sent, type Setup, send, succeed, withBackend } from "./test_client.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
const METHODS = ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"];
const BODY = new TextEncoder().encode("body");

/** How a backend ends a connection on which it has read a request. */
const ENDINGS: Record<string, (peer: BytePeer) => void> = {
  closes: (peer) => peer.end(),
  resets: (peer) => peer.reset(),
};

/** Answers `/first`, so that the connection is pooled, and whatever comes to be served last; ends on others. */
function dyingBackend(
  ending: (peer: BytePeer) => void,
  options: { survives?: (peers: number) => boolean } = {},
) {
  let peers = 0;
  return {
    serve(peer: BytePeer): void {
      const number = ++peers;
      peer.socket.on("data", (text) => {
        if (String(text).includes(" /first ") || options.survives?.(number)) peer.send(OK);
        else ending(peer);
      });
    },
  };
}

/** How often the backend saw the request that is not the first. */
function seen({ backend }: Setup): number {
  return backend.received.split(" /again ").length - 1;
}

async function poolOne(setup: Setup): Promise<void> {
  await succeed(setup, { target: "/first" });
  assert.equal(setup.client.connections, 1);
}

const BODIES: Record<string, { body: RequestBody; firstBytes?: Uint8Array }> = {
  "no body": { body: "none" },
  "a body sent with the head": { body: { length: BODY.length }, firstBytes: BODY },
};

for (const [how, ending] of Object.entries(ENDINGS)) {
  for (const method of METHODS) {
    test(`${method} is seen once by a backend that reads it and ${how} a pooled connection`, () =>
      withBackend(async (setup) => {
        await poolOne(setup);
        await fail(setup, "broke_off", { method, target: "/again" });
        assert.equal(seen(setup), 1);
        assert.equal(setup.backend.peers.length, 1);
      }, dyingBackend(ending)));
  }

  for (const [what, sent] of Object.entries(BODIES)) {
    test(`an idempotent request with ${what} is sent again when the backend ${how} a pooled connection`, () =>
      withBackend(
        async (setup) => {
          await poolOne(setup);
          const again = await succeed(setup, { method: "PUT", target: "/again", idempotent: true, ...sent });
          assert.deepEqual(again.events, ["started", "head", "data", "end"]);
          assert.equal(setup.backend.peers.length, 2);
          assert.equal(seen(setup), 2);
          assert.equal(setup.backend.received.split("body").length - 1, sent.firstBytes ? 2 : 0);
        },
        dyingBackend(ending, { survives: (number) => number === 2 }),
      ));
  }
}

const CLOSING = dyingBackend((peer) => peer.end());

test("an idempotent request is sent again only once", () =>
  withBackend(
    async (setup) => {
      await poolOne(setup);
      await fail(setup, "broke_off", { target: "/again", idempotent: true });
      assert.equal(seen(setup), 2);
    },
    dyingBackend((peer) => peer.end()),
  ));

test("an idempotent request is not sent again when its connection was fresh", () =>
  withBackend(async (setup) => {
    await fail(setup, "broke_off", { target: "/again", idempotent: true });
    assert.equal(seen(setup), 1);
  }, CLOSING));

test("a request whose body was streamed is not sent again, idempotent or not", () =>
  withBackend(async (setup) => {
    await poolOne(setup);
    const on: Sent["on"] = { started: () => setup.backend.peers[0]!.end() };
    const failed = await fail(setup, "broke_off", {
      method: "PUT",
      target: "/again",
      body: "chunked",
      idempotent: true,
      on,
    });
    assert.deepEqual(failed.events, ["started", "failed"]);
    assert.equal(setup.backend.peers.length, 1);
  }, CLOSING));

const ANSWERS: Record<string, string> = {
  "a byte": "H",
  "a 100": "HTTP/1.1 100 Continue\r\n\r\n",
  "half a head": "HTTP/1.1 200 OK\r\nContent-",
};
for (const [name, answer] of Object.entries(ANSWERS)) {
  test(`an idempotent request is not sent again when ${name} of the answer came`, () =>
    withBackend(
      async (setup) => {
        await poolOne(setup);
        await fail(setup, "broke_off", { target: "/again", idempotent: true });
        assert.equal(seen(setup), 1);
      },
      dyingBackend((peer) => peer.end(answer)),
    ));
}

test("a request that is to be sent again to a backend that is gone is unreachable", () =>
  withBackend(async (setup) => {
    await poolOne(setup);
    const peer = setup.backend.peers[0]!;
    const gone = new Promise((resolve) => peer.socket.once("close", resolve));
    const again = send(setup, { target: "/again", idempotent: true });
    // Stops listening at once; the pooled connection lives on until it reads the request.
    const closed = setup.backend.stopListening();
    await gone;
    assert.equal((await again).failure?.kind, "unreachable");
    await closed;
  }, CLOSING));

test("cancel() while it is being sent again: nothing is told any more", () =>
  withBackend(
    async (setup) => {
      await poolOne(setup);
      const peer = setup.backend.peers[0]!;
      const gone = new Promise((resolve) => peer.socket.once("close", resolve));
      const exchange = setup.client.request(
        setup.origin,
        { method: "GET", target: "/again", headers: [] },
        "none",
        {
          head: () => assert.fail("head"),
          data: () => assert.fail("data"),
          end: () => assert.fail("end"),
          failed: assert.fail,
        },
        { idempotent: true },
      );
      await gone;
      exchange.cancel();
      await succeed(setup, { target: "/first" });
    },
    dyingBackend((peer) => peer.end(), { survives: (number) => number > 1 }),
  ));
