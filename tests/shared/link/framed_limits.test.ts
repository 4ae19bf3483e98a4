import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { RelayFailure } from "../../../shared/failures.ts";
import { LinkProtocolError } from "../../../shared/link/events.ts";
import { FRAME } from "../../../shared/link/frames.ts";
import {
  MAX_EXCHANGES,
  MAX_HEAD_BYTES,
  MAX_HEAD_FIELDS,
  MAX_RESET_TEXT_BYTES,
  MAX_UNACKNOWLEDGED_RESETS,
  MAX_WAITING_BYTES,
  MESSAGE_TARGET_BYTES,
} from "../../../shared/link/limits.ts";
import {
  bytes,
  FramedEnd,
  FramedPair,
  frame,
  GET,
  HEAD,
  KIB,
  MIB,
  pattern,
  refuses,
  requestFrame,
  sameBytes,
  workerAfter,
} from "./framed_ends.ts";

test("a head that the peer would close the link over is refused here, and nothing is sent", () => {
  const refused: { head: typeof HEAD; error: new (...args: never[]) => Error }[] = [
    { head: { ...HEAD, target: `/${"x".repeat(MAX_HEAD_BYTES)}` }, error: RelayFailure },
    { head: { ...HEAD, headers: Array(MAX_HEAD_FIELDS + 1).fill(["a", "b"]) }, error: RelayFailure },
    { head: { ...HEAD, headers: [["a", "b\nc"]] }, error: TypeError },
    { head: { ...HEAD, headers: [["a", "\u00e4\nc"]] }, error: TypeError },
    { head: { ...HEAD, headers: [["a", "\u010a"]] }, error: TypeError },
    { head: { ...HEAD, target: "*" }, error: TypeError },
    { head: { ...HEAD, method: "" }, error: TypeError },
  ];
  const pair = new FramedPair();
  for (const { head, error } of refused) {
    assert.throws(() => pair.relay.connection.openExchange(head), error);
    assert.equal(pair.relay.connection.open, 0);
    assert.deepEqual(pair.relay.messages(), []);
  }
  const exchange = pair.answering();
  assert.equal(exchange, 1);
});

test("the longest heads cross", () => {
  const pair = new FramedPair();
  const headers: [string, string][] = Array.from({ length: MAX_HEAD_FIELDS }, () => ["a", "b"]);
  const target = `/${"x".repeat(MAX_HEAD_BYTES - 6 - 4 * MAX_HEAD_FIELDS)}`;
  const exchange = pair.relay.connection.openExchange({ ...HEAD, target, headers });
  pair.carry();
  pair.worker.connection.sendResponse(exchange, {
    status: 200,
    headers: [["a", "b".repeat(MAX_HEAD_BYTES - 2)]],
  });
  pair.carry();
  assert.deepEqual([pair.worker.types(), pair.relay.types()], [["request"], ["response"]]);
});

test("a reset's text is cut, lone surrogates are replaced", () => {
  const pair = new FramedPair();
  const exchange = pair.answering();
  pair.worker.connection.sendReset(exchange, "invalid", `\ud800${"\u20ac".repeat(MAX_RESET_TEXT_BYTES)}`);
  pair.carry();
  const reset = pair.relay.events.at(-1);
  assert.equal(reset?.type === "reset" && reset.text, `\ufffd${"\u20ac".repeat(340)}\ufffd`);
});

test("heads and resets that pile up leave in messages that the peer takes", () => {
  const pair = new FramedPair();
  const headers: [string, string][] = [["x", "y".repeat(60 * KIB)]];
  for (let count = 0; count < 50; count++) pair.relay.connection.openExchange({ ...GET, headers });
  const messages = pair.relay.messages() as Uint8Array[];
  for (const message of messages) {
    assert.ok(message.length < MESSAGE_TARGET_BYTES + MAX_HEAD_BYTES + 14, `${message.length}`);
    pair.worker.connection.receive(message);
  }
  assert.equal(pair.worker.connection.open, 50);
});

test("body bytes stay behind heads that wait, and do not make more messages wait", () => {
  const pair = new FramedPair();
  const { connection } = pair.relay;
  const first = connection.openExchange(HEAD);
  const headers: [string, string][] = [["x", "y".repeat(60 * KIB)]];
  for (let count = 0; count < 4; count++) connection.openExchange({ ...GET, headers });
  const last = connection.openExchange(HEAD);
  for (const exchange of [last, first]) {
    connection.sendData(exchange, pattern(40 * KIB, exchange));
    connection.sendEnd(exchange);
  }
  pair.carry();
  for (const exchange of [first, last]) {
    sameBytes(pair.worker.body(exchange), pattern(40 * KIB, exchange));
    assert.equal(pair.worker.types(exchange).at(-1), "end");
  }
});

test(`${MAX_EXCHANGES} exchanges may be open; one more is an error at either end`, () => {
  const pair = new FramedPair();
  for (let count = 0; count < MAX_EXCHANGES; count++) pair.relay.connection.openExchange(GET);
  assert.throws(() => pair.relay.connection.openExchange(GET), RangeError);
  pair.carry();
  refuses(pair.worker, requestFrame(MAX_EXCHANGES + 1), /A REQUEST came while 4096 exchanges were open/);
  pair.relay.connection.sendReset(1, "cancelled", "");
  pair.relay.connection.openExchange(GET);
});

test("a peer that takes nothing is given up when too much waits for it", () => {
  const { connection } = new FramedEnd("relay");
  const headers: [string, string][] = [["x", "y".repeat(32 * KIB)]];
  const open = () => connection.sendReset(connection.openExchange({ ...GET, headers }), "cancelled", "");
  for (let bytes = 0; bytes < MAX_WAITING_BYTES; bytes += 32 * KIB) open();
  assert.throws(open, /The other end takes nothing: \d+ bytes/);

  const worker = workerAfter();
  const flood = Buffer.concat(Array.from({ length: 60_000 }, (_, id) => frame(FRAME.RESET, id, [0])));
  assert.throws(() => {
    for (let round = 0; round < 20; round++) worker.connection.receive(flood);
  }, /The other end takes nothing: \d+ bytes/);
});

test("heads of exchanges that are open are not held against the peer: a line of them may start at once", () => {
  const pair = new FramedPair();
  const headers: [string, string][] = [["x", "y".repeat(32 * KIB)]];
  for (let count = 0; count < 1000; count++) pair.relay.connection.openExchange({ ...GET, headers });
  pair.carry();
  assert.equal(pair.worker.connection.open, 1000);
});

test("a worker that acknowledges no resets is given up", () => {
  const relay = new FramedEnd("relay");
  const reset = () => relay.connection.sendReset(relay.connection.openExchange(GET), "cancelled", "");
  for (let count = 0; count < MAX_UNACKNOWLEDGED_RESETS; count++) {
    reset();
    if (count % 1000 === 0) relay.messages();
  }
  relay.messages();
  assert.equal(relay.connection.unacknowledgedResets, MAX_UNACKNOWLEDGED_RESETS);
  reset();
  assert.throws(() => relay.connection.next(), LinkProtocolError);
});

test("an acknowledgement is told once, and only to who reset", () => {
  const pair = new FramedPair();
  const exchange = pair.answering();
  pair.relay.connection.sendReset(exchange, "timeout", "too slow");
  assert.equal(pair.relay.connection.unacknowledgedResets, 1);
  pair.carry();
  assert.deepEqual(pair.worker.events.at(-1), { type: "reset", exchange, code: "timeout", text: "too slow" });
  assert.deepEqual(pair.relay.events.at(-1), { type: "reset_ack", exchange });
  pair.relay.connection.receive(frame(FRAME.RESET_ACK, exchange));
  assert.equal(pair.relay.types().filter((type) => type === "reset_ack").length, 1);
  assert.equal(pair.relay.connection.unacknowledgedResets, 0);
});

test("both ends may reset at once, and a reset may cross the end", () => {
  const pair = new FramedPair();
  const both = pair.answering();
  pair.relay.connection.sendReset(both, "cancelled", "");
  pair.worker.connection.sendReset(both, "timeout", "");
  const crossed = pair.answering();
  pair.worker.connection.sendData(crossed, bytes("x"));
  pair.worker.connection.sendEnd(crossed);
  pair.relay.connection.sendReset(crossed, "cancelled", "");
  pair.carry();
  assert.deepEqual(pair.relay.types(both).at(-1), "reset_ack");
  assert.deepEqual(pair.relay.types(crossed), ["response", "reset_ack"]);
  assert.deepEqual(pair.worker.types(crossed), ["request"]);
  assert.deepEqual([pair.relay.connection.open, pair.worker.connection.open], [0, 0]);
});

test("more bytes cannot be consumed than there are", () => {
  const pair = new FramedPair();
  const exchange = pair.answering();
  pair.worker.connection.sendData(exchange, bytes("12345"));
  pair.carry();
  assert.throws(
    () => pair.relay.connection.consumed(exchange, 6),
    /Cannot consume 6 bytes of a body: 5 are here/,
  );
  pair.relay.connection.consumed(exchange, 5);
});

test("a body of any length waits for credit without limit here, so its source is told at once", () => {
  const pair = new FramedPair();
  const exchange = pair.answering();
  assert.equal(pair.worker.connection.sendData(exchange, pattern(2 * MIB)), false);
  pair.carry();
  assert.equal(pair.relay.body(exchange).length, 256 * KIB);
});
