import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turnOfTheLoop } from "node:timers/promises";
import { LinkProtocolError } from "../../../shared/link/events.ts";
import { FRAME } from "../../../shared/link/frames.ts";
import { bytes, frame, GET, HEAD, KIB, OK, pattern } from "./framed_ends.ts";
import { LinkEnd, LinkPair } from "./link_ends.ts";

/** One exchange that the worker has begun to answer. */
function answering(pair = new LinkPair()) {
  const atRelay = pair.relay.open(GET);
  pair.carry();
  const atWorker = pair.worker.exchanges.at(-1)!;
  atWorker.respond(OK);
  pair.carry();
  pair.relay.recorder.said.length = 0;
  pair.worker.recorder.said.length = 0;
  return {
    pair,
    atRelay,
    atWorker,
    relaySaid: pair.relay.recorder.said,
    workerSaid: pair.worker.recorder.said,
  };
}

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

test("a piece larger than a frame leaves in messages as it is written", () => {
  const { pair, atWorker, relaySaid } = answering();
  assert.equal(atWorker.write(pattern(200 * KIB)), true);
  assert.equal(pair.worker.socket.sent.length, 3);
  pair.carry();
  assert.deepEqual(
    relaySaid.filter((what) => what.startsWith("data")),
    ["data 65536", "data 65536", "data 65536", "data 8192"],
  );
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

test("a lost link ends every exchange once", () => {
  const pair = new LinkPair();
  pair.relay.open(GET);
  pair.relay.open(HEAD);
  pair.carry();
  for (const end of [pair.relay, pair.worker]) {
    end.link.lost();
    end.link.lost();
    assert.deepEqual([end.link.closed, end.link.open, end.failures], [true, 0, []]);
    assert.deepEqual(
      end.recorders.map(({ said }) => said.filter((what) => what !== "settled")),
      [["reset link_lost"], ["reset link_lost"]],
    );
  }
  pair.relay.link.receive(frame(FRAME.RESPONSE, 1, [0, 200]));
  assert.equal(pair.relay.recorders[0]!.said.length, 1);
});

test("a message that the peer may not send fails the link: told first, then the exchanges end", () => {
  const order: string[] = [];
  const relay = new LinkEnd("relay", { failed: (error) => order.push(error.message) });
  relay.open(GET);
  relay.recorder.also = (name) => order.push(name);
  relay.link.receive(frame(FRAME.REQUEST, 9));
  assert.deepEqual(order, ["A frame of type 1 came, which the other end does not send", "reset"]);
  assert.deepEqual(relay.recorder.said, ["reset link_lost"]);
});

test("what a broken message held before its fault is delivered, and not settled", () => {
  const { pair, relaySaid } = answering();
  const message = new Uint8Array([...frame(FRAME.DATA, 1, [1]), ...frame(FRAME.STARTED, 1)]);
  pair.relay.link.receive(message);
  assert.deepEqual(relaySaid, ["data 1", "reset link_lost"]);
});

test("a message that the socket dropped fails the link", () => {
  const relay = new LinkEnd("relay");
  relay.open(GET);
  relay.socket.answer = "lost";
  relay.link.flush();
  assert.match(relay.failures[0]!.message, /The socket dropped a message/);
  assert.deepEqual(relay.recorder.said, ["reset link_lost"]);
});

test("an exchange that is opened on a link that is gone, or goes, is lost soon, unless it is given up before", async () => {
  const closed = new LinkEnd("relay");
  closed.link.lost();
  const leaving = new LinkEnd("relay");
  leaving.link.close(1000, "");
  for (const end of [closed, leaving]) {
    end.open(HEAD).write(bytes("x"));
    assert.deepEqual(end.recorder.said, [], "not within the call");
    await Promise.resolve();
    assert.deepEqual(end.recorder.said, ["reset link_lost"]);
    end.open(GET).reset("cancelled");
    await Promise.resolve();
    assert.deepEqual(end.recorder.said, []);
    assert.equal(end.link.open, 0);
  }
});

test("handlers may end exchanges and open others while the link is lost", async () => {
  const relay = new LinkEnd("relay");
  relay.open(GET);
  const other = relay.open(GET);
  relay.recorders[0]!.also = () => {
    other.reset("cancelled");
    relay.open(GET);
  };
  relay.link.lost();
  await Promise.resolve();
  assert.deepEqual(
    relay.recorders.map(({ said }) => said),
    [["reset link_lost"], [], ["reset link_lost"]],
  );
});

test("a request whose handlers come when the link has failed is told at once", () => {
  const pair: LinkPair = new LinkPair({
    worker: {
      request: (exchange) => {
        pair.worker.socket.answer = "lost";
        exchange.respond(OK);
        exchange.write(pattern(100 * KIB));
        return pair.worker.recorders[0]!;
      },
    },
  });
  pair.worker.open = () => assert.fail();
  const { Recorder } = { Recorder: pair.relay.open(GET).constructor };
  assert.ok(Recorder);
  pair.worker.recorders.push(pair.relay.recorder);
  pair.carry();
  assert.equal(pair.worker.failures.length, 1);
  assert.deepEqual(pair.worker.recorders[0]!.said, ["reset link_lost"]);
});

test("a handler that throws resets its exchange; the others and the rest of the message go on", () => {
  const faults: unknown[] = [];
  const { pair, atWorker, relaySaid } = answering(
    new LinkPair({ relay: { fault: (error) => faults.push(error) } }),
  );
  const broken = pair.relay.recorder;
  const second = answering(pair);
  const bug = new Error("a bug");
  broken.also = (name) => {
    if (name === "data") throw bug;
  };
  atWorker.write(bytes("x"));
  second.atWorker.write(bytes("y"));
  second.atWorker.end();
  pair.carry();
  assert.deepEqual(faults, [bug]);
  assert.deepEqual(relaySaid, ["data 1", "reset cancelled"]);
  assert.deepEqual(second.relaySaid, ["data 1", "end", "settled"]);
  assert.equal(pair.worker.recorders[0]!.said.at(-1), "reset cancelled");
  assert.deepEqual([pair.relay.failures, pair.relay.link.open, pair.worker.link.open], [[], 0, 0]);
});

test("a handler that throws where nobody wants to know fails the link, with its error as the cause", () => {
  const { pair, atWorker, relaySaid } = answering();
  const bug = new Error("a bug");
  pair.relay.recorder.also = (name) => {
    if (name === "data") throw bug;
  };
  atWorker.write(bytes("x"));
  pair.carry();
  assert.ok(pair.relay.failures[0] instanceof LinkProtocolError);
  assert.equal(pair.relay.failures[0].cause, bug);
  assert.equal(relaySaid.at(-1), "reset link_lost");
});

test("a connection that gives its peer up within a call fails the link, and the caller learns of it as of any loss", async () => {
  const relay = new LinkEnd("relay");
  const headers: [string, string][] = [["x", "y".repeat(60 * KIB)]];
  relay.socket.answer = "full";
  relay.link.flush();
  for (let count = 0; count < 400 && relay.failures.length === 0; count++) relay.open({ ...GET, headers });
  assert.match(relay.failures[0]!.message, /The other end takes nothing/);
  await Promise.resolve();
  const outcomes = new Set(relay.recorders.map(({ said }) => said.join()));
  assert.deepEqual(outcomes, new Set(["reset link_lost"]));
});

test("an exchange whose last bytes wait for credit counts as open, and is not told of a loss", () => {
  const { pair, atWorker, workerSaid } = answering();
  atWorker.write(pattern(300 * KIB));
  atWorker.end();
  pair.carry();
  assert.equal(pair.worker.link.open, 1);
  pair.worker.link.lost();
  assert.deepEqual(workerSaid, []);
});
