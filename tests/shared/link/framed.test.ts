import assert from "node:assert/strict";
import { test } from "node:test";
import type { LinkEvent } from "../../../shared/link/events.ts";
import { REQUEST_WINDOW_BYTES, SEND_QUEUE_BYTES } from "../../../shared/link/limits.ts";
import { bytes, FramedPair, GET, HEAD, KIB, MIB, OK, pattern, sameBytes } from "./framed_ends.ts";

test("a small request is one message, and so is a small response", () => {
  const { relay, worker } = new FramedPair();
  const exchange = relay.connection.openExchange(HEAD);
  assert.equal(relay.connection.sendData(exchange, bytes("{}")), true);
  relay.connection.sendEnd(exchange);
  const [request, ...more] = relay.messages();
  assert.deepEqual(more, []);
  worker.connection.receive(request!);
  assert.deepEqual(worker.types(), ["request", "data", "end"]);

  worker.connection.sendStarted(exchange);
  worker.connection.sendResponse(exchange, OK);
  worker.connection.sendData(exchange, bytes("hello"));
  worker.connection.sendEnd(exchange);
  const [response, ...others] = worker.messages();
  assert.deepEqual(others, []);
  relay.connection.receive(response!);
  assert.deepEqual(relay.types(), ["started", "response", "data", "end"]);
  assert.deepEqual([relay.connection.open, worker.connection.open], [0, 0]);
});

test("heads cross as they are: order, duplicates, Latin-1, empty values, what the layer above will refuse", () => {
  const headers: [string, string][] = [
    ["Set-Cookie", "a"],
    ["set-cookie", "b"],
    ["x-latin", "\u00e4\u00ff"],
    ["empty", ""],
    ["", ""],
    ["x-bad", "a\rb\0"],
  ];
  const pair = new FramedPair();
  const head = { ...GET, target: "/a?b=%0A", headers };
  const exchange = pair.relay.connection.openExchange(head);
  pair.carry();
  assert.deepEqual(pair.worker.events, [{ type: "request", exchange, head }]);
  pair.worker.connection.sendResponse(exchange, { status: 599, headers });
  pair.carry();
  assert.deepEqual(pair.relay.events, [{ type: "response", exchange, head: { status: 599, headers } }]);
});

test("the flags of a request cross, each by itself", () => {
  const pair = new FramedPair();
  for (let flags = 0; flags < 8; flags++) {
    const head = {
      ...HEAD,
      hasBody: (flags & 1) > 0,
      streaming: (flags & 2) > 0,
      upgrade: (flags & 4) > 0,
    };
    const exchange = pair.relay.connection.openExchange(head);
    pair.carry();
    assert.deepEqual(pair.worker.events.at(-1), { type: "request", exchange, head });
  }
});

test("text and binary DATA are told apart, and text frames are not joined", () => {
  const pair = new FramedPair();
  const exchange = pair.answering();
  for (const [piece, text] of [
    ["a", true],
    ["b", true],
    ["c", false],
    ["d", false],
  ] as const) {
    pair.worker.connection.sendData(exchange, bytes(piece), text);
  }
  pair.carry();
  const data = pair.relay.events.filter((event) => event.type === "data");
  assert.deepEqual(
    data.map(({ bytes, text }) => [new TextDecoder().decode(bytes), text]),
    [
      ["a", true],
      ["b", true],
      ["cd", undefined],
    ],
  );
});

for (const accepts of ["one", "half", "all"] as const) {
  test(`a large body crosses in both directions at once; the socket takes ${accepts} at a time`, () => {
    const consume = (event: LinkEvent, end: "relay" | "worker", pair: FramedPair) => {
      if (event.type === "data") pair[end].connection.consumed(event.exchange, event.bytes.length);
    };
    const pair = new FramedPair({
      accepts,
      atRelay: (event, pair) => consume(event, "relay", pair),
      atWorker: (event, pair) => consume(event, "worker", pair),
    });
    const up = pattern(3 * MIB + 1);
    const down = pattern(3 * MIB - 1, 7);
    const exchange = pair.relay.connection.openExchange(HEAD);
    pair.carry();
    pair.worker.connection.sendResponse(exchange, OK);
    assert.equal(pair.relay.connection.sendData(exchange, up), false);
    assert.equal(pair.worker.connection.sendData(exchange, down), false);
    pair.relay.connection.sendEnd(exchange);
    pair.worker.connection.sendEnd(exchange);
    pair.carry();
    assert.deepEqual([pair.relay.types().at(-1), pair.worker.types().at(-1)], ["end", "end"]);
    sameBytes(pair.worker.body(exchange), up);
    sameBytes(pair.relay.body(exchange), down);
    assert.deepEqual([pair.relay.connection.open, pair.worker.connection.open], [0, 0]);
  });
}

test("END waits behind what is queued, and nothing may follow it", () => {
  const pair = new FramedPair();
  const exchange = pair.relay.connection.openExchange(HEAD);
  pair.relay.connection.sendData(exchange, pattern(2 * REQUEST_WINDOW_BYTES));
  pair.relay.connection.sendEnd(exchange);
  pair.carry();
  assert.equal(pair.worker.body(exchange).length, REQUEST_WINDOW_BYTES);
  assert.equal(pair.worker.types().includes("end"), false);
  assert.throws(() => pair.relay.connection.sendData(exchange, bytes("x")), /its half is ended/);
  pair.worker.connection.consumed(exchange, REQUEST_WINDOW_BYTES);
  pair.carry();
  assert.equal(pair.worker.body(exchange).length, 2 * REQUEST_WINDOW_BYTES);
  assert.equal(pair.worker.types().at(-1), "end");
});

test("RESET overtakes what is queued", () => {
  const pair = new FramedPair();
  const exchange = pair.answering();
  pair.worker.connection.sendData(exchange, pattern(4 * MIB));
  pair.worker.connection.sendEnd(exchange);
  pair.worker.connection.sendReset(exchange, "backend_broke_off", "half of it");
  pair.carry();
  const [reset] = pair.relay.events.slice(-1);
  assert.deepEqual(reset, { type: "reset", exchange, code: "backend_broke_off", text: "half of it" });
  assert.equal(pair.relay.body(exchange).length, 64 * KIB, "what was in the message under way");
  assert.deepEqual([pair.relay.connection.open, pair.worker.connection.open], [0, 0]);
});

test("writable comes once, when half of the queue has left, and not after the end was sent", () => {
  const pair = new FramedPair();
  const exchange = pair.answering();
  const { connection } = pair.worker;
  for (let piece = 0; piece < 4; piece++) {
    assert.equal(connection.sendData(exchange, pattern(64 * KIB)), true);
    pair.carry();
  }
  assert.equal(connection.sendData(exchange, pattern(SEND_QUEUE_BYTES - 1)), true);
  assert.equal(connection.sendData(exchange, bytes("x")), false);
  pair.carry();
  assert.equal(pair.worker.types().includes("writable"), false, "no credit, no room");
  pair.relay.connection.consumed(exchange, 256 * KIB);
  pair.carry();
  assert.equal(pair.worker.types().filter((type) => type === "writable").length, 1);

  connection.sendData(exchange, pattern(MIB));
  connection.sendEnd(exchange);
  for (let round = 0; round < 20; round++) {
    const left = pair.relay.body(exchange).length;
    pair.relay.connection.consumed(exchange, Math.min(left, 16 * KIB));
    pair.carry();
  }
  assert.equal(pair.worker.types().filter((type) => type === "writable").length, 1);
});

test("handlers may send, end and reset from within receive and next", () => {
  let rounds = 0;
  const pair = new FramedPair({
    atWorker: (event, pair) => {
      const { connection } = pair.worker;
      if (event.type === "request") {
        connection.sendStarted(event.exchange);
        connection.sendResponse(event.exchange, OK);
        connection.sendData(event.exchange, pattern(200 * KIB));
      }
      // Called while a message is being filled.
      if (event.type !== "writable") return;
      if (++rounds < 3) connection.sendData(event.exchange, pattern(100 * KIB));
      else connection.sendEnd(event.exchange);
    },
    atRelay: (event, pair) => {
      if (event.type === "data") pair.relay.connection.consumed(event.exchange, event.bytes.length);
    },
  });
  const exchange = pair.relay.connection.openExchange(GET);
  pair.carry();
  assert.equal(pair.relay.body(exchange).length, 400 * KIB);
  assert.equal(pair.relay.types().at(-1), "end");
  assert.deepEqual([pair.relay.connection.open, pair.worker.connection.open], [0, 0]);
});

test("a handler that resets another exchange keeps the rest of the message from it", () => {
  const pair = new FramedPair({
    atRelay: (event, pair) => {
      if (event.type === "data" && event.exchange === 1) pair.relay.connection.sendReset(2, "cancelled", "");
    },
  });
  pair.answering();
  pair.answering();
  pair.worker.connection.sendData(1, bytes("a"));
  pair.worker.connection.sendData(2, bytes("b"));
  pair.worker.connection.sendEnd(2);
  pair.carry();
  assert.deepEqual(pair.relay.types(2), ["response", "reset_ack"]);
  assert.equal(pair.relay.connection.dropped, 2);
});

test("calls for an exchange that is over or never was are ignored", () => {
  const pair = new FramedPair();
  const exchange = pair.answering();
  pair.worker.connection.sendEnd(exchange);
  pair.carry();
  for (const id of [exchange, 99, 0]) {
    for (const { connection } of [pair.relay, pair.worker]) {
      connection.sendStarted(id);
      connection.sendResponse(id, OK);
      assert.equal(connection.sendData(id, bytes("x")), true);
      connection.sendEnd(id);
      connection.sendReset(id, "cancelled", "");
      connection.consumed(id, 1);
    }
  }
  assert.deepEqual([pair.relay.messages(), pair.worker.messages()], [[], []]);
});

test("control messages go before frames; of each type only the latest", () => {
  const pair = new FramedPair();
  pair.relay.connection.openExchange(GET);
  pair.relay.connection.sendControl({ type: "ping", timestamp_unix_ms: 1 });
  pair.relay.connection.sendControl({ type: "models_refresh" });
  pair.relay.connection.sendControl({ type: "ping", timestamp_unix_ms: 2 });
  pair.carry();
  assert.deepEqual(
    pair.worker.events.map((event) => (event.type === "control" ? event.message : event.type)),
    [{ type: "ping", timestamp_unix_ms: 2 }, { type: "models_refresh" }, "request"],
  );
});
