import assert from "node:assert/strict";
import { test } from "node:test";
import { Http1Client } from "../../../shared/http1/client.ts";
import { runtime } from "../../../shared/runtime/current.ts";
import type { Runtime } from "../../../shared/runtime/ports.ts";
import { settled, until } from "../../support/until.ts";
import type { BytePeer } from "./byte_backend.ts";
import { Recorded, type Sent, underWay, withBackend } from "./test_client.ts";

const answering = (answer: string) => ({ serve: (peer: BytePeer) => peer.answerAll(answer) });
const bytes = (text: string) => new TextEncoder().encode(text);

test("what is written before there is a connection leaves with the head", () =>
  withBackend(async (setup) => {
    const one = new Recorded(setup.client, setup.origin, { method: "POST", body: "chunked" });
    const lent = bytes("hello");
    assert.equal(one.exchange.write(lent), false);
    lent.fill(0);
    one.exchange.write(bytes("!"));
    one.exchange.end();
    const peer = await setup.backend.peer();
    await peer.receives("\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n");
  }));

test("bytes of a body by length are copied when they have to wait", () =>
  withBackend(async (setup) => {
    const one = new Recorded(setup.client, setup.origin, { method: "POST", body: { length: 5 } });
    const lent = bytes("hello");
    one.exchange.write(lent);
    lent.fill(0);
    await (await setup.backend.peer()).receives("\r\n\r\nhello");
  }));

test("drain is called when what had to wait for the connection was sent", () =>
  withBackend(async (setup) => {
    const drained = Promise.withResolvers<void>();
    const one = new Recorded(setup.client, setup.origin, { body: "chunked", on: { drain: drained.resolve } });
    assert.equal(one.exchange.write(bytes("a")), false);
    await drained.promise;
    assert.equal(one.exchange.write(bytes("b")), true);
  }));

const WRONG_LENGTHS: Record<string, { write: string[]; received: string }> = {
  "more than was promised": { write: ["abc", "d"], received: "abc" },
  "less than was promised": { write: ["ab"], received: "ab" },
};
for (const [name, { write, received }] of Object.entries(WRONG_LENGTHS)) {
  test(`a body of ${name} fails and closes the connection`, () =>
    withBackend(async (setup) => {
      const { one, peer } = await underWay(setup, { method: "POST", body: { length: 3 } });
      for (const text of write) one.exchange.write(bytes(text));
      one.exchange.end();
      assert.equal((await one.over).failure?.kind, "local");
      await until(() => peer.closed, "the connection to close");
      assert.ok(received.startsWith(peer.received.split("\r\n\r\n")[1]!));
    }));
}

// --- cancel, pause -------------------------------------------------------------------------------------------

test("cancel() closes the connection within a second, and nothing is told any more", () =>
  withBackend(async (setup) => {
    const { one, peer } = await underWay(setup);
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi");
    await until(() => one.text === "hi", "the body");
    const startMs = performance.now();
    one.exchange.cancel();
    one.exchange.cancel();
    await until(() => peer.closed, "the connection to close");
    assert.ok(performance.now() - startMs < 1000);
    assert.deepEqual(one.events, ["started", "head", "data"]);
    assert.equal(setup.client.connections, 0);
  }));

for (const framing of ["Content-Length: 4\r\n", ""]) {
  test(`each read is settled once, behind all that it brought, by ${framing ? "a length" : "the close"}`, () =>
    withBackend(async (setup) => {
      const told: string[] = [];
      const note = (what: string) => () => {
        told.push(what);
      };
      const on = { head: note("head"), data: note("data"), end: note("end"), settled: note("settled") };
      const one = new Recorded(setup.client, setup.origin, { on });
      const peer = await setup.backend.peer();
      await peer.receives("\r\n\r\n");
      peer.send(`HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n${framing}\r\nab`);
      await until(() => told.includes("settled"), "the first read");
      assert.deepEqual(told.splice(0), ["head", "data", "settled"]);
      peer.send("cd");
      if (framing === "") peer.end();
      await one.over;
      await until(() => told.at(-1) === "settled", "the last read");
      assert.deepEqual(
        told.filter((event, at) => event !== "settled" || told[at - 1] !== "data"),
        ["data", "end", "settled"],
      );
    }));
}

for (const event of ["started", "head", "data"] as const) {
  test(`cancel() within ${event} is the last that is heard`, () =>
    withBackend(async (setup) => {
      const heard = Promise.withResolvers<void>();
      const cancel = () => {
        one.exchange.cancel();
        heard.resolve();
      };
      const settled = () => assert.fail("settled after cancel()");
      const on = { [event]: cancel, settled };
      const one: Recorded = new Recorded(setup.client, setup.origin, { on });
      await heard.promise;
      const peer = await setup.backend.peer();
      await until(() => peer.closed, "the connection to close");
      assert.equal(one.events.at(-1), event);
      assert.equal(peer.received === "", event === "started");
    }, answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n")));
}

test("pause() before there is a connection holds for the one that comes", () =>
  withBackend(async (setup) => {
    let paused = 0;
    const dial: Runtime["dial"] = async (options, handlers) => {
      const connection = await runtime.dial(options, handlers);
      const pause = connection.pause.bind(connection);
      connection.pause = () => {
        paused++;
        pause();
      };
      return connection;
    };
    const client = new Http1Client({ runtime: { dial }, clock: setup.clock });
    const one = new Recorded(client, setup.origin);
    one.exchange.pause();
    await (await setup.backend.peer()).receivesHead();
    assert.equal(paused, 1);
    one.exchange.resume();
    (await setup.backend.peer()).send("HTTP/1.1 204 No Content\r\n\r\n");
    await one.over;
    client.close();
  }));

for (const [name, head, kind] of [
  ["whole", "HTTP/1.1 200 OK\r\n\r\n", undefined],
  ["cut off", "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", "broke_off"],
] as const) {
  test(`a body that the backend has closed behind while it was paused comes all the same: ${name}`, () =>
    withBackend(async (setup) => {
      const { one, peer } = await underWay(setup, { on: { head: () => one.exchange.pause() } });
      const closed = new Promise((resolve) => peer.socket.once("finish", resolve));
      peer.end(`${head}${"x".repeat(200_000)}`);
      await closed;
      await until(() => one.head !== undefined, "the head");
      one.exchange.resume();
      await one.over;
      assert.equal(one.bodyBytes, 200_000);
      assert.equal(one.failure?.kind, kind);
    }));
}

test("cancel() stops a backend that does not heed the end of the request's side", () =>
  withBackend(
    async (setup) => {
      const { one, peer } = await underWay(setup);
      peer.send("HTTP/1.1 200 OK\r\n\r\n");
      await until(() => one.head !== undefined, "the head");
      const stopped = new Promise((resolve) => peer.socket.once("close", resolve));
      const streaming = setInterval(() => peer.socket.write("more"), 5);
      one.exchange.cancel();
      await stopped;
      clearInterval(streaming);
    },
    { allowHalfOpen: true },
  ));

const BIG_BYTES = 32 * 1024 * 1024;
/** What the kernel and both runtimes take at most between two sockets that nobody reads. */
const BUFFERED_BYTES = 16 * 1024 * 1024;

test("a paused response holds the backend back, and all of it comes after resume()", () =>
  withBackend(async (setup) => {
    let count = 0;
    const on: Sent["on"] = { head: () => one.exchange.pause() };
    const one: Recorded = new Recorded(setup.client, setup.origin, { on });
    const peer = await setup.backend.peer();
    await peer.receivesHead();
    peer.send(`HTTP/1.1 200 OK\r\nContent-Length: ${BIG_BYTES}\r\n\r\n`);
    const piece = Buffer.alloc(64 * 1024);
    const push = () => {
      while (count < BIG_BYTES) {
        count += piece.length;
        if (!peer.socket.write(piece)) return void peer.socket.once("drain", push);
      }
    };
    push();
    await until(() => one.head !== undefined, "the head");
    const taken = await settled(() => count);
    assert.ok(taken < BUFFERED_BYTES, `${taken} bytes were taken`);
    assert.ok(one.bodyBytes < 1024 * 1024);
    one.exchange.resume();
    await one.over;
    assert.equal(one.bodyBytes, BIG_BYTES);
  }));

test("a backend that does not read holds the request back, until it does", () =>
  withBackend(async (setup) => {
    const drains: (() => void)[] = [];
    const { one, peer } = await underWay(setup, {
      method: "PUT",
      body: { length: BIG_BYTES },
      on: { drain: () => drains.shift()?.() },
    });
    peer.socket.pause();
    const piece = new Uint8Array(64 * 1024);
    let count = 0;
    const upload = async () => {
      for (; count < BIG_BYTES; count += piece.length) {
        if (!one.exchange.write(piece)) await new Promise<void>((resolve) => drains.push(resolve));
      }
      one.exchange.end();
    };
    const uploaded = upload();
    const taken = await settled(() => count);
    assert.ok(taken < BUFFERED_BYTES, `${taken} bytes were taken`);
    peer.socket.resume();
    await uploaded;
    await until(() => peer.received.length > BIG_BYTES, "the whole body");
    peer.send("HTTP/1.1 204 No Content\r\n\r\n");
    assert.equal((await one.over).head?.status, 204);
  }));
