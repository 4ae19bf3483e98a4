import assert from "node:assert/strict";
import { test } from "node:test";
import { Http1Client } from "../../../shared/http1/client.ts";
import { type ByteHandlers, DialError, type Runtime } from "../../../shared/runtime/ports.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { until } from "../../support/until.ts";
import type { BytePeer } from "./byte_backend.ts";
import { fail, Recorded, type Sent, succeed, underWay, withBackend } from "./test_client.ts";

const answering = (answer: string) => ({ serve: (peer: BytePeer) => peer.answerAll(answer) });
const closing = (answer: string) => ({
  serve: (peer: BytePeer) => peer.socket.once("data", () => peer.end(answer)),
});
const bytes = (text: string) => new TextEncoder().encode(text);

// --- responses -----------------------------------------------------------------------------------------------

const ANSWERED: [name: string, answer: string, sent: Sent, body: string][] = [
  ["behind a 100", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", {}, "hi"],
  [
    "behind a 103",
    "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    {},
    "",
  ],
  ["to HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", { method: "HEAD" }, ""],
  ["204", "HTTP/1.1 204 No Content\r\n\r\n", {}, ""],
  ["304", "HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n\r\n", {}, ""],
  ["chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", {}, "hi"],
];
for (const [name, answer, sent, body] of ANSWERED) {
  test(`an answer ${name} is complete, and the connection is kept`, () =>
    withBackend(async (setup) => {
      const one = await succeed(setup, sent);
      assert.deepEqual(one.events, body ? ["started", "head", "data", "end"] : ["started", "head", "end"]);
      assert.equal(one.text, body);
      assert.equal(setup.client.connections, 1);
    }, answering(answer)));
}

test("an answer without framing ends with the connection", () =>
  withBackend(async (setup) => {
    assert.equal((await succeed(setup)).text, "to the close");
    assert.equal(setup.client.connections, 0);
  }, closing("HTTP/1.1 200 OK\r\n\r\nto the close")));

test("an answer without framing that ends in a reset broke off", () =>
  withBackend(async (setup) => {
    const { one, peer } = await underWay(setup);
    peer.send("HTTP/1.1 200 OK\r\n\r\nsome");
    await until(() => one.text === "some", "the body");
    peer.reset();
    assert.equal((await one.over).failure?.kind, "broke_off");
  }));

const BROKEN: [name: string, answer: string, kind: "broke_off" | "invalid", events: string[]][] = [
  ["nothing", "", "broke_off", ["started", "failed"]],
  ["half a head", "HTTP/1.1 200 OK\r\n", "broke_off", ["started", "failed"]],
  [
    "half a body",
    "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi",
    "broke_off",
    ["started", "head", "data", "failed"],
  ],
  [
    "no last chunk",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n",
    "broke_off",
    ["started", "head", "data", "failed"],
  ],
  ["nonsense", "SSH-2.0-OpenSSH_9.2\r\n", "invalid", ["started", "failed"]],
  [
    "a bad chunk",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhi\r\n",
    "invalid",
    ["started", "head", "failed"],
  ],
  [
    "a 101 that nobody asked for",
    "HTTP/1.1 101 Switching Protocols\r\n\r\n",
    "invalid",
    ["started", "failed"],
  ],
];
for (const [name, answer, kind, events] of BROKEN) {
  test(`an answer of ${name} is ${kind}`, () =>
    withBackend(async (setup) => {
      assert.deepEqual((await fail(setup, kind)).events, events);
      assert.equal(setup.client.connections, 0);
    }, closing(answer)));
}

test("an invalid answer closes the connection at once", () =>
  withBackend(async (setup) => {
    const { one, peer } = await underWay(setup);
    peer.send("nonsense");
    assert.equal((await one.over).failure?.kind, "invalid");
    await until(() => peer.closed, "the connection to close");
  }));

const ENDS: Record<string, (one: Recorded, peer: BytePeer) => void> = {
  "is answered": (_, peer) => peer.send("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"),
  fails: (_, peer) => peer.send("nonsense"),
  "is cancelled": (one) => one.exchange.cancel(),
};
for (const [ends, end] of Object.entries(ENDS)) {
  test(`a request that ${ends} leaves nothing to watch over`, () =>
    withBackend(async (setup) => {
      const { one, peer } = await underWay(setup);
      setup.clock.advance(2000);
      assert.equal(setup.clock.pending, 1);
      end(one, peer);
      await until(() => peer.closed, "the connection to close");
      setup.clock.advance(2000);
      assert.equal(setup.clock.pending, 0);
    }));
}

// --- not connected -------------------------------------------------------------------------------------------

test("nobody listening is unreachable", () =>
  withBackend(async (setup) => {
    await setup.backend.close();
    const { events, failure } = await fail(setup, "unreachable");
    assert.deepEqual(events, ["failed"]);
    assert.equal(failure!.message.match(/Cannot connect to/g)?.length, 1);
  }));

test("a dialler that times out is a timeout while connecting", () =>
  withBackend(
    async (setup) => {
      const { failure } = await fail(setup, "timeout");
      assert.equal(failure?.during, "connect");
      assert.ok(failure?.cause instanceof DialError);
    },
    { runtime: { dial: () => Promise.reject(new DialError("timeout", "too slow")) } },
  ));

test("cancel() while connecting closes the connection when it is there, without a byte", () =>
  withBackend(async (setup) => {
    const one = new Recorded(setup.client, setup.origin);
    await Promise.resolve();
    one.exchange.cancel();
    const peer = await setup.backend.peer();
    await until(() => peer.closed, "the connection to close");
    assert.equal(peer.received, "");
    assert.deepEqual(one.events, []);
  }));

test("what a handler throws reaches the runtime, and the connection is closed", async () => {
  let handlers: ByteHandlers | undefined;
  let closed = 0;
  const connection = { write: () => true, pause() {}, resume() {}, close: () => void closed++ };
  const dial: Runtime["dial"] = async (_options, given) => {
    handlers = given;
    return connection;
  };
  const clock = new FakeClock();
  const client = new Http1Client({ runtime: { dial }, clock });
  const thrown = new TypeError("a bug");
  const head = () => {
    throw thrown;
  };
  const one = new Recorded(client, { host: "backend", port: 80 }, { on: { head } });
  await until(() => one.events.includes("started"), "the request to be sent");
  assert.throws(() => handlers!.data(bytes("HTTP/1.1 200 OK\r\n\r\nhi")), thrown);
  assert.equal(closed, 1);
  assert.equal(client.connections, 0);
  client.close();
  assert.deepEqual(one.events, ["started", "head"]);
  assert.equal(clock.pending, 0);
});

const MISUSES: Record<string, Sent> = {
  "a line break in a header": { headers: [["a", "b\r\nc: d"]] },
  "a header of the client's own": { headers: [["content-LENGTH", "1"]] },
  "a blank in the target": { target: "/a b" },
  "first bytes beyond the length": { body: { length: 1 }, firstBytes: bytes("two") },
  "first bytes short of the length": { body: { length: 4 }, firstBytes: bytes("two") },
};
for (const [name, sent] of Object.entries(MISUSES)) {
  test(`${name} is a local failure, and nothing is sent`, () =>
    withBackend(async (setup) => {
      assert.deepEqual((await fail(setup, "local", sent)).events, ["failed"]);
      assert.equal(setup.backend.peers.length, 0);
    }));
}
