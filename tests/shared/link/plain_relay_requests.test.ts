import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_SENT_TEXT_BYTES } from "../../../shared/link/plain_limits.ts";
import { allTexts, bytes, HEAD, relayEnd } from "./plain_ends.ts";

const MIB = 1024 * 1024;

test("a request leaves whole, in ModelRelay's bytes, and only then counts as started", () => {
  const { connection, events } = relayEnd();
  const exchange = connection.openExchange({ ...HEAD, target: "/v1/x?y=%2F", headers: [["Accept", "*/*"]] });
  connection.sendData(exchange, bytes('{"a":'));
  assert.deepEqual(allTexts(connection), []);
  connection.sendData(exchange, bytes("1}"));
  connection.sendEnd(exchange);
  assert.deepEqual(events, []);
  assert.deepEqual(allTexts(connection), [
    '{"type":"request","request_id":"id-1","model":"m","endpoint_path":"/v1/x?y=%2F","is_streaming":false,"body":"{\\"a\\":1}","headers":{"accept":"*/*"}}',
  ]);
  assert.deepEqual(events, [{ type: "started", exchange }]);
  assert.equal(connection.open, 1);
});

test("S2: a request without header fields has no headers member", () => {
  const [message] = relayEnd().open({ headers: [["Content-Length", "2"]] }).messages;
  assert.equal("headers" in message!, false);
});

test("S7: accept-encoding, framing and hop-by-hop fields stay here, and one value per name is left", () => {
  const [message] = relayEnd().open({
    headers: [
      ["Accept-Encoding", "gzip"],
      ["Connection", "keep-alive, X-Hop"],
      ["X-Hop", "1"],
      ["Content-Length", "2"],
      ["Transfer-Encoding", "chunked"],
      ["Expect", "100-continue"],
      ["Host", "relay"],
      ["TE", "trailers"],
      ["X-Two", "a"],
      ["x-two", "b"],
      ["Cookie", "a=1"],
      ["cookie", "b=2"],
    ],
  }).messages;
  assert.deepEqual(message!.headers, { "x-two": "a, b", cookie: "a=1; b=2" });
});

test("S11: a method other than POST goes only to a worker that knows of methods", () => {
  const old = relayEnd();
  assert.deepEqual(old.open({ method: "DELETE", hasBody: false }, "").messages, []);
  assert.equal(old.events[0]!.code, "refused");
  assert.equal(old.connection.open, 0);
  const [message] = relayEnd({ peerKnowsMethod: true }).open(
    { method: "DELETE", hasBody: false },
    "",
  ).messages;
  assert.equal(message!.method, "DELETE");
  assert.equal(message!.body, "");
});

test("S12: a request above 15 MiB of JSON is refused before anything is sent", () => {
  const relay = relayEnd();
  const short = relay.open({}, "x".repeat(MAX_SENT_TEXT_BYTES - 300));
  assert.equal(short.messages.length, 1);
  // Each of these bytes is two in JSON.
  for (const body of ["x".repeat(MAX_SENT_TEXT_BYTES + 1), '"'.repeat(MAX_SENT_TEXT_BYTES / 2)]) {
    assert.deepEqual(relay.open({}, body).messages, []);
    assert.equal(relay.events.at(-1)!.code, "too_large");
  }
  assert.equal(relay.connection.open, 1);
});

test("bodies that wait on a link are bounded together, and what left makes room", () => {
  const { connection, events } = relayEnd();
  const open = () => connection.openExchange(HEAD);
  const piece = new Uint8Array(14 * MIB).fill(0x20);
  const exchanges = Array.from({ length: 5 }, open);
  for (const exchange of exchanges) connection.sendData(exchange, piece);
  connection.next();
  assert.deepEqual(
    events.map(({ exchange, code }) => [exchange, code]),
    [[5, "too_large"]],
  );
  connection.sendEnd(exchanges[0]!);
  assert.equal(allTexts(connection).length, 1);
  const sixth = open();
  connection.sendData(sixth, piece);
  connection.sendEnd(sixth);
  assert.equal(allTexts(connection).length, 1);
});

test("S13: a body that is not UTF-8 is refused as text_only, wherever it is cut", () => {
  const text = "a\u00e4\u{1f600}z";
  const whole = bytes(text);
  for (let at = 0; at <= whole.length; at++) {
    const { connection, sent } = relayEnd();
    const exchange = connection.openExchange(HEAD);
    connection.sendData(exchange, whole.subarray(0, at));
    connection.sendData(exchange, whole.subarray(at));
    connection.sendEnd(exchange);
    assert.equal(sent()[0]!.body, text);
  }
  for (const wrong of [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xc0, 0x80]]) {
    const { connection, sent, events } = relayEnd();
    const exchange = connection.openExchange(HEAD);
    connection.sendData(exchange, new Uint8Array(wrong));
    connection.sendEnd(exchange);
    assert.deepEqual(sent(), []);
    assert.deepEqual(
      events.map(({ type, code }) => [type, code]),
      [["reset", "text_only"]],
    );
  }
});

test("a byte order mark is part of the body", () => {
  assert.equal(relayEnd().open({}, "\ufeff{}").messages[0]!.body, "\ufeff{}");
});

test("S6: no request follows graceful_shutdown, one that was whole before goes ahead of it", () => {
  const relay = relayEnd();
  const { connection, events } = relay;
  const collecting = connection.openExchange(HEAD);
  connection.sendEnd(connection.openExchange(HEAD));
  connection.sendControl({ type: "drain", drain_timeout_secs: 30 });
  assert.deepEqual(
    relay.sent().map(({ type }) => type),
    ["request", "graceful_shutdown"],
  );
  connection.sendEnd(collecting);
  relay.open();
  assert.deepEqual(relay.sent(), []);
  assert.deepEqual(
    events.map(({ type, exchange, code }) => [type, exchange, code]),
    [
      ["started", 2, undefined],
      ["reset", 1, "refused"],
      ["reset", 3, "refused"],
    ],
  );
});

test("S1: only types that ModelRelay's worker knows are sent", () => {
  const { connection } = relayEnd();
  connection.sendControl({ type: "load", current_load: 1 });
  connection.sendControl({ type: "pong", current_load: 1 });
  connection.sendControl({ type: "models_update", models: [], current_load: 1 });
  connection.sendControl({ type: "error", code: "x", message: "y" });
  connection.sendControl({ type: "models_refresh" });
  connection.sendControl({ type: "ping" });
  connection.sendControl({ type: "drain", reason: "stop" });
  connection.sendControl({ type: "register_ack", worker_id: "w", models: [] });
  assert.deepEqual(allTexts(connection), [
    '{"type":"register_ack","worker_id":"w","models":[]}',
    '{"type":"models_refresh"}',
    '{"type":"ping"}',
    '{"type":"graceful_shutdown","reason":"stop"}',
  ]);
});

test("an upgrade is refused", () => {
  const relay = relayEnd({ peerKnowsMethod: true });
  assert.deepEqual(relay.open({ method: "GET", hasBody: false, upgrade: true }, "").messages, []);
  assert.equal(relay.events[0]!.code, "refused");
});
