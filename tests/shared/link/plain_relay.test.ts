import assert from "node:assert/strict";
import { test } from "node:test";
import { LinkProtocolError } from "../../../shared/link/events.ts";
import { allTexts, HEAD, relayEnd } from "./plain_ends.ts";

const MIB = 1024 * 1024;
const STREAM = { streaming: true };

const chunk = (text: string, more: object = {}) => ({
  type: "response_chunk",
  request_id: "id-1",
  chunk: text,
  ...more,
});
// --- giving up ----------------------------------------------------------------------------------------------

test("S3, S4: a reset sends one cancel with a known reason and the exchange is over at once", () => {
  const relay = relayEnd();
  relay.open(STREAM);
  relay.open(STREAM);
  for (const [index, code] of (["cancelled", "timeout"] as const).entries()) {
    relay.connection.sendReset(index + 1, code, "why");
    relay.connection.sendReset(index + 1, code, "why");
  }
  assert.equal(relay.connection.open, 0);
  assert.deepEqual(allTexts(relay.connection), [
    '{"type":"cancel","request_id":"id-1","reason":"client_disconnect"}',
    '{"type":"cancel","request_id":"id-2","reason":"timeout"}',
  ]);
  relay.receive(chunk("data: late"));
  assert.equal(relay.connection.dropped, 1);
  assert.deepEqual(
    relay.events.map(({ type }) => type),
    ["started", "started"],
  );
});

test("a reset before the request left takes it back without a word", () => {
  const { connection, events } = relayEnd();
  const collecting = connection.openExchange(HEAD);
  const queued = connection.openExchange({ ...HEAD, hasBody: false });
  const refused = connection.openExchange({ ...HEAD, method: "GET" });
  for (const exchange of [collecting, queued, refused]) connection.sendReset(exchange, "cancelled", "");
  assert.deepEqual(allTexts(connection), []);
  assert.deepEqual(events, []);
  assert.equal(connection.open, 0);
});

test("a reset while `started` is told takes the request back", () => {
  const texts: string[] = [];
  const relay = relayEnd({
    emit: ({ type }) => type === "started" && relay.connection.sendReset(1, "cancelled", ""),
  });
  relay.connection.openExchange({ ...HEAD, hasBody: false });
  texts.push(...allTexts(relay.connection));
  assert.deepEqual(texts, []);
});

test("cancels go before requests, requests in their order before the rest", () => {
  const relay = relayEnd();
  const { exchange } = relay.open();
  relay.connection.sendControl({ type: "ping" });
  relay.connection.openExchange({ ...HEAD, hasBody: false, model: "second" });
  relay.connection.openExchange({ ...HEAD, hasBody: false, model: "third" });
  relay.connection.sendReset(exchange, "cancelled", "");
  const sent = relay.sent().map(({ type, model }) => model ?? type);
  assert.deepEqual(sent, ["cancel", "second", "third", "ping"]);
});

test("an answer of which more than 16 MiB wait for the client is given up", () => {
  const relay = relayEnd();
  const { exchange } = relay.open(STREAM);
  const piece = `data: ${"x".repeat(MIB)}`;
  for (let count = 0; count < 40; count++) {
    relay.receive(chunk(piece));
    relay.connection.consumed(exchange, piece.length);
  }
  assert.equal(relay.events.at(-1)!.type, "data");
  for (let count = 0; count < 16; count++) relay.receive(chunk(piece));
  assert.deepEqual([relay.events.at(-1)!.type, relay.events.at(-1)!.code], ["reset", "overflow"]);
  assert.deepEqual(
    relay.sent().map(({ type }) => type),
    ["cancel"],
  );
  assert.equal(relay.connection.open, 0);
});

test("above 64 MiB on a link the exchange with most of it is given up, not the one that moves", () => {
  const relay = relayEnd();
  const piece = `data: ${"x".repeat(MIB - 6)}`;
  const to = (exchange: number) => relay.receive({ ...chunk(piece), request_id: `id-${exchange}` });
  for (let exchange = 1; exchange <= 5; exchange++) relay.open(STREAM);
  for (const [exchange, count] of [15, 16, 15, 15].entries()) {
    for (let index = 0; index < count; index++) to(exchange + 1);
  }
  for (let index = 0; index < 4; index++) to(5);
  const resets = relay.events.filter(({ type }) => type === "reset");
  assert.deepEqual(
    resets.map(({ exchange, code }) => [exchange, code]),
    [[2, "overflow"]],
  );
});

test("S12: a whole answer may be longer than that, as nothing follows it", () => {
  const relay = relayEnd();
  relay.open();
  const body = "x".repeat(20 * MIB);
  relay.receive({ type: "response_complete", request_id: "id-1", status_code: 200, body });
  assert.deepEqual(
    relay.events.map(({ type }) => type),
    ["started", "response", "data", "end"],
  );
});

test("S10: the number of exchanges is the caller's matter up to the link's bound", () => {
  const { connection } = relayEnd();
  for (let count = 0; count < 4096; count++) connection.openExchange(HEAD);
  assert.throws(() => connection.openExchange(HEAD), RangeError);
});

// --- the peer breaks the protocol ---------------------------------------------------------------------------

test("a binary message, a second register and an unknown type break the protocol", () => {
  const register = '{"type":"register","worker_name":"w","models":[],"max_concurrent":1}';
  for (const message of [new Uint8Array(3), register, '{"type":"mystery"}', "x", '{"type":"pong"}']) {
    const { connection } = relayEnd();
    assert.throws(() => connection.receive(message), LinkProtocolError, `${message}`);
  }
});

test("what is not of an exchange is told as it is", () => {
  const relay = relayEnd();
  relay.receive({ type: "pong", current_load: 3 });
  relay.receive({ type: "models_update", models: ["a"], current_load: 0 });
  assert.deepEqual(
    relay.events.map(({ message }) => (message as { type: string }).type),
    ["pong", "models_update"],
  );
});
