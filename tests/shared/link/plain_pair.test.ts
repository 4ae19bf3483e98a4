import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type LinkConnection, type LinkEvent, LinkProtocolError } from "../../../shared/link/events.ts";
import { PlainRelayConnection } from "../../../shared/link/plain_relay.ts";
import { PlainWorkerConnection } from "../../../shared/link/plain_worker.ts";
import { bytes, HEAD, REQUEST, relayEnd, workerEnd } from "./plain_ends.ts";

/** Carry messages between the ends until neither has one. */
function carry(a: LinkConnection, b: LinkConnection): void {
  for (let moved = true; moved; ) {
    moved = false;
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      const message = from.next();
      if (message === undefined) continue;
      to.receive(message);
      moved = true;
    }
  }
}

function pair(features: string[]) {
  const relay = relayEnd({ features, peerKnowsMethod: true });
  const worker = workerEnd(features);
  return { relay, worker, carry: () => carry(relay.connection, worker.connection) };
}

function inPieces(text: string, size: number): Uint8Array[] {
  const whole = bytes(text);
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < whole.length; at += size) pieces.push(whole.subarray(at, at + size));
  return pieces;
}

const BODY = '{"prompt":"\u00e4\u20ac\u{1f600}"}';
const STREAM_BODY = "data: \u00e4\u20ac\u{1f600}\n\ndata: [DONE]\n\n";

for (const features of [[], ["head"]]) {
  for (const size of [1, 7, 1000]) {
    test(`an exchange crosses in pieces of ${size}, features: ${features.join() || "none"}`, () => {
      const { relay, worker, carry } = pair(features);
      const exchange = relay.connection.openExchange({ ...HEAD, method: "PUT", streaming: true });
      for (const piece of inPieces(BODY, size)) relay.connection.sendData(exchange, piece);
      relay.connection.sendEnd(exchange);
      carry();
      const [request, body, end] = worker.events;
      assert.equal((request!.head as { method: string }).method, "PUT");
      assert.deepEqual([body!.text, end!.type], [BODY, "end"]);

      const headers: [string, string][] = [["content-type", "text/event-stream"]];
      worker.connection.sendResponse(1, { status: features.length ? 206 : 200, headers });
      for (const piece of inPieces(STREAM_BODY, size)) {
        worker.connection.sendData(1, piece);
        carry();
      }
      worker.connection.sendEnd(1);
      carry();
      const [started, response, ...rest] = relay.events;
      assert.equal(started!.type, "started");
      assert.equal((response!.head as { status: number }).status, features.length ? 206 : 200);
      assert.equal(rest.at(-1)!.type, "end");
      assert.equal(rest.map(({ text = "" }) => text).join(""), STREAM_BODY);
      assert.deepEqual([relay.connection.open, worker.connection.open], [0, 0]);
      assert.deepEqual([relay.connection.dropped, worker.connection.dropped], [0, 0]);
    });
  }
}

test("a failure at the worker is an answer at the relay; within a stream it is a reset there", () => {
  const { relay, worker, carry } = pair(["head"]);
  relay.connection.openExchange({ ...HEAD, hasBody: false });
  relay.connection.openExchange({ ...HEAD, hasBody: false, streaming: true });
  carry();
  worker.connection.sendReset(1, "backend_unreachable", "");
  worker.connection.sendResponse(2, { status: 200, headers: [["content-type", "text/event-stream"]] });
  worker.connection.sendReset(2, "timeout", "");
  carry();
  const ended = relay.events.filter(({ type }) => type === "response" || type === "reset" || type === "end");
  assert.deepEqual(
    ended.map(({ exchange, type, code, head }) => [
      exchange,
      type,
      code ?? (head as { status: number })?.status,
    ]),
    [
      [1, "response", 502],
      [1, "end", undefined],
      [2, "response", 504],
      [2, "end", undefined],
    ],
  );
});

test("a cancel crosses the answer without harm", () => {
  const { relay, worker, carry } = pair([]);
  const { exchange } = relay.open({ streaming: true });
  worker.connection.receive(JSON.stringify({ ...REQUEST, request_id: "id-1", is_streaming: true }));
  worker.connection.sendResponse(1, { status: 200, headers: [["content-type", "text/event-stream"]] });
  worker.connection.sendData(1, bytes("data: 1\n\n"));
  relay.connection.sendReset(exchange, "cancelled", "");
  carry();
  assert.deepEqual(
    relay.events.map(({ type }) => type),
    ["started"],
  );
  assert.equal(worker.events.at(-1)!.code, "cancelled");
  assert.equal(relay.connection.dropped, 1, "the answer to the cancel; the chunk was taken back");
});

// --- anything at all ----------------------------------------------------------------------------------------

const header = fc.dictionary(fc.string({ maxLength: 8 }), fc.string({ unit: "binary", maxLength: 8 }), {
  maxKeys: 3,
});
const id = fc.constantFrom("id-1", "id-2", "id-3", "x");
const text = fc.oneof(fc.constantFrom("data: 1\n\n", "{", "", "\ud800"), fc.string({ unit: "binary" }));
const fromWorker = fc.oneof(
  fc.record({ type: fc.constant("response_chunk"), request_id: id, chunk: text }),
  fc.record({
    type: fc.constant("response_chunk"),
    request_id: id,
    chunk: text,
    status_code: fc.nat(700),
    headers: header,
  }),
  fc.record({
    type: fc.constant("response_complete"),
    request_id: id,
    status_code: fc.oneof(fc.constant(200), fc.nat(700)),
    headers: header,
    body: fc.option(text),
  }),
  fc.record({ type: fc.constant("error"), request_id: fc.option(id), code: text, message: text }),
  fc.record({ type: fc.constant("pong"), current_load: fc.nat() }),
  fc.record({ type: fc.string() }),
);
const fromRelay = fc.oneof(
  fc.record({
    type: fc.constant("request"),
    request_id: fc.oneof(id, fc.uuid()),
    model: text,
    endpoint_path: fc.constantFrom("/v1/x", "/", "v1", "/ "),
    is_streaming: fc.boolean(),
    body: text,
    headers: header,
    method: fc.option(fc.constantFrom("GET", "POST", "x y")),
  }),
  fc.record({
    type: fc.constant("cancel"),
    request_id: id,
    reason: fc.constantFrom("timeout", { other: "\ud800" }),
  }),
  fc.record({ type: fc.constant("graceful_shutdown") }),
  fc.record({ type: fc.string() }),
);

/** What may follow what in one exchange: heads once and first, nothing after the end. */
function wellOrdered(events: { type: string; exchange?: unknown }[]): void {
  const over = new Set<unknown>();
  const answered = new Set<unknown>();
  for (const { type, exchange } of events) {
    if (type === "control" || type === "request") continue;
    assert.equal(over.has(exchange), false, `${type} after the end`);
    if (type === "response") assert.equal(answered.has(exchange), false, "a second head");
    if (type === "response") answered.add(exchange);
    if (type === "data" || type === "end") assert.ok(answered.has(exchange), `${type} before the head`);
    if (type === "end" || type === "reset") over.add(exchange);
  }
}

test("any messages of a worker give events in order, or a LinkProtocolError", () => {
  const message = fc.oneof({ weight: 9, arbitrary: fromWorker }, { weight: 1, arbitrary: fc.string() });
  fc.assert(
    fc.property(fc.array(message, { maxLength: 30 }), fc.boolean(), (messages, head) => {
      const relay = relayEnd({ features: head ? ["head"] : [] });
      for (let count = 0; count < 3; count++) relay.open({ streaming: count > 0 });
      receiveAll(relay.connection, messages);
      wellOrdered(relay.events);
    }),
    { numRuns: 1000 },
  );
});

test("any messages of a relay, whatever the worker does meanwhile, give well-formed answers", () => {
  const message = fc.oneof({ weight: 9, arbitrary: fromRelay }, { weight: 1, arbitrary: fc.string() });
  const act = fc.record({ exchange: fc.nat(5), what: fc.nat(5), bytes: fc.uint8Array({ maxLength: 6 }) });
  fc.assert(
    fc.property(fc.array(fc.tuple(message, act), { maxLength: 30 }), (steps) => {
      const worker = workerEnd();
      const { connection } = worker;
      const done = new Set<unknown>();
      const answered = new Set<number>();
      for (const [received, { exchange, what, bytes: piece }] of steps) {
        if (!receiveAll(connection, [received])) return;
        // A head is sent once.
        if (what < 2 && !answered.has(exchange)) {
          const type = what === 0 ? "text/plain" : "text/event-stream";
          connection.sendResponse(exchange, { status: 200, headers: [["content-type", type]] });
          answered.add(exchange);
        }
        if (what === 2) connection.sendData(exchange, piece);
        if (what === 3) connection.sendEnd(exchange);
        if (what === 4) connection.sendReset(exchange, "backend_broke_off", "x");
        for (const sent of worker.sent()) {
          if (sent.type === "response_chunk")
            assert.equal(done.has(sent.request_id), false, "W3: a late chunk");
          if (sent.type === "response_complete") done.add(sent.request_id);
          else assert.ok(["response_chunk", "pong"].includes(sent.type as string), `W2: ${sent.type}`);
        }
        // An id that is used again is another request.
        for (const event of worker.events.splice(0)) if (event.type === "request") done.clear();
      }
    }),
    { numRuns: 1000 },
  );
});

/** False: the connection gave up on its peer, in the one way it may. */
function receiveAll(connection: LinkConnection, messages: (object | string)[]): boolean {
  for (const message of messages) {
    try {
      connection.receive(typeof message === "string" ? message : JSON.stringify(message));
    } catch (error) {
      assert.ok(error instanceof LinkProtocolError, `${error}`);
      return false;
    }
  }
  return true;
}

test("any bytes are refused by the relay and ignored by the worker", () => {
  const ignore = (_event: LinkEvent) => {};
  fc.assert(
    fc.property(fc.uint8Array(), (message) => {
      const options = { emit: ignore, features: [] };
      new PlainWorkerConnection(options).receive(message);
      const relay = new PlainRelayConnection({ ...options, randomId: () => "x", peerKnowsMethod: false });
      assert.throws(() => relay.receive(message), LinkProtocolError);
    }),
  );
});
