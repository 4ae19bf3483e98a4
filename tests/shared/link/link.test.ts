import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turnOfTheLoop } from "node:timers/promises";
import { bytes, GET, HEAD, KIB, OK, pattern } from "./framed_ends.ts";
import { answering, LinkEnd, LinkPair } from "./link_ends.ts";

test("an exchange from beginning to end, and both ends have forgotten it", () => {
  const pair = new LinkPair();
  const exchange = pair.relay.open(HEAD);
  exchange.write(bytes("question"));
  exchange.end();
  pair.carry();
  assert.deepEqual(pair.worker.recorder.said, ["data 8", "end", "settled"]);
  const worker = pair.worker.exchanges[0]!;
  worker.consumed(8);
  worker.started();
  worker.respond(OK);
  worker.write(bytes("answer"));
  worker.end();
  pair.carry();
  assert.deepEqual(pair.relay.recorder.said, ["started", "response 200", "data 6", "end", "settled"]);
  assert.deepEqual([pair.relay.link.open, pair.worker.link.open], [0, 0]);
});

test("what is done in one turn of the event loop leaves in one message, at its end", async () => {
  const relay = new LinkEnd("relay");
  for (let count = 0; count < 3; count++) relay.open(HEAD).write(bytes("x"));
  assert.deepEqual(relay.socket.sent, []);
  await Promise.resolve();
  assert.deepEqual(relay.socket.sent, [], "other sockets of this turn may add to it");
  await turnOfTheLoop();
  assert.equal(relay.socket.sent.length, 1);
});

test("settled comes once per message and exchange, after all that the message held, also for a bare request", () => {
  const pair = new LinkPair();
  const first = pair.relay.open(HEAD);
  pair.relay.open(GET);
  pair.carry();
  assert.deepEqual(
    pair.worker.recorders.map(({ said }) => said),
    [["settled"], ["settled"]],
  );
  first.write(bytes("a"));
  pair.carry();
  first.write(bytes("b"));
  first.end();
  pair.carry();
  assert.deepEqual(pair.worker.recorders[0]!.said, [
    "settled",
    "data 1",
    "settled",
    "data 1",
    "end",
    "settled",
  ]);
});

test("nothing is called after a reset that shared a message with what came before", () => {
  const { pair, atWorker, relaySaid } = answering();
  atWorker.write(bytes("x"));
  atWorker.reset("backend_broke_off");
  pair.carry();
  assert.deepEqual(relaySaid, ["data 1", "reset backend_broke_off"]);
});

test("an own reset within a handler ends it, but an end that came is settled", () => {
  const one = answering();
  one.pair.relay.recorder.also = (name) => name === "data" && one.atRelay.reset("cancelled");
  one.atWorker.write(bytes("x"));
  one.atWorker.end();
  one.pair.carry();
  assert.deepEqual(one.relaySaid, ["data 1"]);

  const two = new LinkPair();
  const exchange = two.relay.open(HEAD);
  two.carry();
  two.relay.recorder.also = (name) => name === "end" && exchange.reset("cancelled");
  two.worker.exchanges[0]!.respond(OK);
  two.worker.exchanges[0]!.end();
  two.carry();
  assert.deepEqual(two.relay.recorder.said, ["response 200", "end", "settled"]);
  assert.deepEqual(two.worker.recorder.said.at(-1), "reset cancelled");
});

test("every call is ignored once an exchange is over", () => {
  const { pair, atRelay, atWorker } = answering();
  atRelay.reset("cancelled");
  atWorker.reset("timeout");
  for (const exchange of [atRelay, atWorker]) {
    exchange.started();
    exchange.respond(OK);
    assert.equal(exchange.write(bytes("x")), true);
    exchange.consumed(5);
    exchange.end();
    exchange.reset("cancelled");
  }
  pair.carry();
  assert.deepEqual([pair.relay.failures, pair.worker.failures], [[], []]);
});

test("a full socket gets nothing until it has drained; write goes on as long as there is room here", async () => {
  const { pair, atWorker, relaySaid } = answering();
  pair.worker.socket.answer = "full";
  atWorker.write(pattern(10));
  await turnOfTheLoop();
  assert.equal(pair.worker.socket.sent.length, 1);
  assert.equal(atWorker.write(pattern(64 * KIB)), true);
  assert.equal(atWorker.write(pattern(64 * KIB)), false);
  await turnOfTheLoop();
  assert.equal(pair.worker.socket.sent.length, 1);
  pair.worker.socket.answer = "sent";
  pair.worker.link.drained();
  pair.carry();
  assert.deepEqual(
    relaySaid.filter((what) => what.startsWith("data")),
    ["data 10", "data 65536", "data 65536"],
  );
  assert.deepEqual(pair.worker.recorder.said, ["writable"]);
});

test("a piece of half a message and more leaves at once, in as many messages as it fills", () => {
  const { pair, atWorker, relaySaid } = answering();
  assert.equal(atWorker.write(pattern(200 * KIB)), true);
  assert.equal(pair.worker.socket.sent.length, 4);
  pair.carry();
  assert.deepEqual(
    relaySaid.filter((what) => what.startsWith("data")),
    ["data 65536", "data 65536", "data 65536", "data 8192"],
  );
});

// Said false, the source would pause for a `writable` that was told while it wrote, and wait for ever.
test("write says that there is room when all that waited left within it", () => {
  const { pair, atWorker } = answering();
  for (let n = 0; n < 4; n++) assert.equal(atWorker.write(pattern(31 * KIB)), true);
  assert.equal(pair.worker.socket.sent.length, 0);
  assert.equal(atWorker.write(pattern(64 * KIB)), true);
  const sent = pair.worker.socket.sent.reduce((sum, message) => sum + message.length, 0);
  assert.ok(sent > (4 * 31 + 64) * KIB);
});

test("a held link sends nothing before it is let go, not even its goodbye", async () => {
  const relay = new LinkEnd("relay", { held: true });
  relay.open(GET);
  relay.link.sendControl({ type: "ping" });
  await turnOfTheLoop();
  relay.link.flush();
  relay.link.close(1000, "bye");
  assert.deepEqual([relay.socket.sent, relay.socket.closes], [[], []]);
  relay.link.drained();
  assert.equal(relay.socket.sent.length, 2);
  assert.deepEqual(relay.socket.closes, [{ code: 1000, reason: "bye" }]);
});

test("the goodbye follows what the socket had no room for, and nothing follows the goodbye", () => {
  const { pair, atWorker } = answering();
  const { link, socket } = pair.worker;
  atWorker.write(pattern(64 * KIB));
  socket.answer = "full";
  link.flush();
  atWorker.write(bytes("the end"));
  atWorker.end();
  link.close(1000, "done");
  assert.deepEqual(socket.closes, []);
  socket.answer = "sent";
  link.drained();
  assert.deepEqual(socket.closes, [{ code: 1000, reason: "done" }]);
  const before = socket.sent.length;
  assert.equal(before, 2);
  // After a close a socket loses what it is given: that would be taken for a failure.
  socket.answer = "lost";
  link.sendControl({ type: "pong", current_load: 0 });
  link.flush();
  link.drained();
  link.close(1001, "again");
  assert.deepEqual([socket.sent.length, socket.closes.length, pair.worker.failures], [before, 1, []]);
});
