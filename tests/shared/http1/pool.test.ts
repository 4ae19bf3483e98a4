import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "../../support/until.ts";
import type { BytePeer } from "./byte_backend.ts";
import { fail, Recorded, type Setup, send, succeed, withBackend } from "./test_client.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
const answering = (answer = OK) => ({ serve: (peer: BytePeer) => peer.answerAll(answer) });

test("requests one after the other share a connection", () =>
  withBackend(async (setup) => {
    for (let round = 0; round < 3; round++) assert.equal((await succeed(setup)).text, "hi");
    assert.equal(setup.backend.peers.length, 1);
    assert.equal(setup.client.connections, 1);
  }, answering()));

test("a request sent from within end() uses the connection that was just freed", () =>
  withBackend(async (setup) => {
    const second = Promise.withResolvers<Recorded>();
    await succeed(setup, { on: { end: () => second.resolve(succeed(setup)) } });
    assert.equal((await second.promise).text, "hi");
    assert.equal(setup.backend.peers.length, 1);
  }, answering()));

test("requests at the same time have a connection each, and the one freed last is used next", () =>
  withBackend(async (setup) => {
    const { backend } = setup;
    const first = new Recorded(setup.client, setup.origin);
    const second = new Recorded(setup.client, setup.origin);
    const [peerA, peerB] = [await backend.peer(0), await backend.peer(1)];
    await Promise.all([peerA.receives("\r\n\r\n"), peerB.receives("\r\n\r\n")]);
    peerB.send(OK);
    await Promise.race([first.over, second.over]);
    peerA.send(OK);
    await Promise.all([first.over, second.over]);
    const third = new Recorded(setup.client, setup.origin, { target: "/third" });
    await peerA.receives("/third");
    peerA.send(OK);
    await third.over;
    assert.equal(setup.client.connections, 2);
  }));

const OTHER_ORIGINS: Record<string, (setup: Setup) => object> = {
  "another name": () => ({ host: "localhost" }),
  "a pinned address": () => ({ address: "127.0.0.1" }),
};
for (const [name, other] of Object.entries(OTHER_ORIGINS)) {
  test(`${name} is another origin`, () =>
    withBackend(async (setup) => {
      await succeed(setup);
      await succeed({ ...setup, origin: { ...setup.origin, ...other(setup) } });
      assert.equal(setup.backend.peers.length, 2);
    }, answering()));
}

test("a connection that idled for 4 s is closed, not used", () =>
  withBackend(async (setup) => {
    await succeed(setup);
    setup.clock.advance(3999);
    await succeed(setup);
    assert.equal(setup.backend.peers.length, 1);
    setup.clock.advance(4000);
    await succeed(setup);
    assert.equal(setup.backend.peers.length, 2);
    await until(() => setup.backend.peers[0]!.closed, "the old connection to close");
  }, answering()));

test("idle connections are closed in time though no request comes", () =>
  withBackend(async (setup) => {
    await succeed(setup);
    setup.clock.advance(4500);
    assert.equal(setup.client.connections, 0);
    assert.equal(setup.clock.pending, 0);
    await until(() => setup.backend.peers[0]!.closed, "the connection to close");
  }, answering()));

for (const maxIdlePerOrigin of [0, 2]) {
  test(`no more than ${maxIdlePerOrigin} connections idle when that is the limit`, () =>
    withBackend(
      async (setup) => {
        await Promise.all([succeed(setup), succeed(setup), succeed(setup)]);
        assert.equal(setup.client.connections, maxIdlePerOrigin);
      },
      { ...answering(), maxIdlePerOrigin },
    ));
}

test("an idle connection that the backend closes is forgotten", () =>
  withBackend(async (setup) => {
    await succeed(setup);
    setup.backend.peers[0]!.end();
    await until(() => setup.client.connections === 0, "the close to be seen");
    await succeed(setup, { method: "POST" });
    assert.equal(setup.backend.peers.length, 2);
  }, answering()));

test("an idle connection on which a byte arrives is closed", () =>
  withBackend(async (setup) => {
    await succeed(setup);
    setup.backend.peers[0]!.send("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n");
    await until(() => setup.client.connections === 0, "the connection to be closed");
    assert.equal((await succeed(setup)).head?.status, 200);
  }, answering()));

const NOT_REUSED: Record<string, string> = {
  "Connection: close": "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi",
  "HTTP/1.0": "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi",
  "bytes behind a length": `${OK}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison`,
  "bytes behind the last chunk":
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\nHTTP/1.1",
  "bytes behind a 204": "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1",
};
for (const [name, answer] of Object.entries(NOT_REUSED)) {
  test(`${name}: the response is delivered and the connection closed`, () =>
    withBackend(async (setup) => {
      let atEnd = -1;
      const { text } = await succeed(setup, { on: { end: () => (atEnd = setup.client.connections) } });
      assert.equal(text, answer.includes(" 204 ") ? "" : "hi");
      assert.equal(atEnd, 0);
      await succeed(setup);
      assert.equal(setup.backend.peers.length, 2);
    }, answering(answer)));
}

test("a response before the request was sent whole is delivered, and the connection closed", () =>
  withBackend(async (setup) => {
    const early = new Recorded(setup.client, setup.origin, { method: "POST", body: "chunked" });
    early.exchange.write(new TextEncoder().encode("begin"));
    const peer = await setup.backend.peer();
    await peer.receives("begin");
    peer.send(`HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno`);
    await early.over;
    assert.equal(early.head?.status, 413);
    assert.equal(early.text, "no");
    assert.equal(setup.client.connections, 0);
    // The caller may not have seen it yet: what it still sends goes nowhere.
    early.exchange.write(new TextEncoder().encode("more"));
    early.exchange.end();
    await until(() => peer.closed, "the connection to close");
    assert.equal(peer.received.includes("more"), false);
  }));

test("a connection on which a part of the request is still to go out is not used again", () =>
  withBackend(async (setup) => {
    const firstBytes = new Uint8Array(32 * 1024 * 1024);
    const sent = { method: "POST", body: { length: firstBytes.length }, firstBytes };
    const early = new Recorded(setup.client, setup.origin, sent);
    const peer = await setup.backend.peer();
    await peer.receivesHead();
    peer.socket.pause();
    peer.send(OK);
    assert.equal((await early.over).text, "hi");
    assert.equal(setup.client.connections, 0);
  }));

test("a response that was paused when it ended leaves a connection that is read again", () =>
  withBackend(async (setup) => {
    const one: Recorded = new Recorded(setup.client, setup.origin, {
      on: { head: () => one.exchange.pause() },
    });
    await one.over;
    assert.equal((await succeed(setup)).text, "hi");
    assert.equal(setup.backend.peers.length, 1);
  }, answering()));

test("close() ends what is idle and what is under way", () =>
  withBackend(async (setup) => {
    const open = new Recorded(setup.client, setup.origin);
    const peer = await setup.backend.peer();
    await peer.receives("\r\n\r\n");
    const other = send(setup);
    (await setup.backend.peer(1)).send(OK);
    await other;
    assert.equal(setup.client.connections, 2);
    setup.client.close();
    assert.equal((await open.over).failure?.kind, "broke_off");
    assert.equal(setup.client.connections, 0);
    await until(() => peer.closed, "the connection to close");
    await fail(setup, "local");
  }));

test("2,000 responses stream at the same time", () =>
  withBackend(async (setup) => {
    const count = 2000;
    const started = new Set<Recorded>();
    const all = Array.from({ length: count }, () => {
      const one: Recorded = new Recorded(setup.client, setup.origin, {
        on: { data: () => started.add(one) },
      });
      return one;
    });
    await until(() => started.size === count, "all of them start", 10_000);
    assert.equal(setup.client.connections, count);
    for (const peer of setup.backend.peers) peer.send("1\r\n!\r\n0\r\n\r\n");
    for (const one of await Promise.all(all.map(({ over }) => over))) assert.equal(one.text, "hi!");
  }, answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n")));

test("a cancelled request that was not sent yet is not sent", () =>
  withBackend(async (setup) => {
    const cancelled = new Recorded(setup.client, setup.origin, { target: "/cancelled" });
    cancelled.exchange.cancel();
    assert.equal((await send(setup)).text, "hi");
    assert.deepEqual(cancelled.events, []);
    assert.equal(setup.backend.received.includes("/cancelled"), false);
  }, answering()));
