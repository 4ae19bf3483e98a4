import assert from "node:assert/strict";
import { test } from "node:test";
import { LinkProtocolError } from "../../../shared/link/events.ts";
import { FRAME } from "../../../shared/link/frames.ts";
import { bytes, frame, GET, HEAD, KIB, OK, pattern } from "./framed_ends.ts";
import { answering, LinkEnd, LinkPair, Recorder } from "./link_ends.ts";

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
  pair.relay.link.receive(new Uint8Array(1));
  assert.equal(pair.relay.recorders[0]!.said.length, 1);
  assert.deepEqual(pair.relay.failures, [], "nobody cares any more what the peer says");
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
  const recorder = new Recorder();
  const pair: LinkPair = new LinkPair({
    worker: {
      request: (exchange) => {
        pair.worker.socket.answer = "lost";
        exchange.respond(OK);
        exchange.write(pattern(100 * KIB));
        return recorder;
      },
    },
  });
  pair.relay.open(GET);
  pair.carry();
  assert.equal(pair.worker.failures.length, 1);
  assert.deepEqual(recorder.said, ["reset link_lost"]);
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

test("a connection that gives its peer up within a call fails the link", () => {
  const relay = new LinkEnd("relay", { held: true });
  const headers: [string, string][] = [["x", "y".repeat(60 * KIB)]];
  relay.open(GET);
  for (let count = 0; count < 400 && !relay.link.closed; count++) {
    relay.open({ ...GET, headers }).reset("cancelled");
  }
  assert.match(relay.failures[0]!.message, /The other end takes nothing/);
  assert.deepEqual(relay.recorders[0]!.said, ["reset link_lost"]);
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
