import assert from "node:assert/strict";
import { test } from "node:test";
import { LinkProtocolError } from "../../../shared/link/events.ts";
import { MAX_HELD_UNITS, MAX_SENT_TEXT_BYTES } from "../../../shared/link/plain_limits.ts";
import { allTexts, bytes, HEAD, relayEnd, type SeenEvent } from "./plain_ends.ts";

const MIB = 1024 * 1024;
const STREAM = { streaming: true };

const chunk = (text: string, more: object = {}) => ({
  type: "response_chunk",
  request_id: "id-1",
  chunk: text,
  ...more,
});
const complete = (more: object = {}) => ({
  type: "response_complete",
  request_id: "id-1",
  status_code: 200,
  ...more,
});

/** Open one exchange, let the worker say all this, and give the events after `started`. */
function answeredWith(head: object, messages: object[], options: object = {}): SeenEvent[] {
  const relay = relayEnd(options);
  relay.open(head);
  for (const message of messages) relay.receive(message);
  return relay.events.slice(1);
}

const response = (status: number, headers: string[][]) => ({
  type: "response",
  exchange: 1,
  head: { status, headers },
});
const SSE_HEAD = response(200, [
  ["content-type", "text/event-stream"],
  ["cache-control", "no-cache"],
]);
const data = (text: string) => ({ type: "data", exchange: 1, text });
const END = { type: "end", exchange: 1 };

// --- requests -----------------------------------------------------------------------------------------------

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

// --- answers ------------------------------------------------------------------------------------------------

test("a whole answer keeps status, headers and body, with its length", () => {
  assert.deepEqual(
    answeredWith({}, [complete({ status_code: 400, headers: { "Retry-After": "3" }, body: '{"e":"ä"}' })]),
    [
      response(400, [
        ["retry-after", "3"],
        ["content-length", "10"],
      ]),
      data('{"e":"ä"}'),
      END,
    ],
  );
  assert.deepEqual(answeredWith({}, [complete()]), [response(200, [["content-length", "0"]]), END]);
  assert.deepEqual(answeredWith({}, [complete({ body: null })]), [
    response(200, [["content-length", "0"]]),
    END,
  ]);
});

test("204, 304 and HEAD have no body, whatever the worker says", () => {
  for (const status of [204, 205, 304]) {
    assert.deepEqual(answeredWith({}, [complete({ status_code: status, body: "abc" })]), [
      response(status, []),
      END,
    ]);
  }
  const head = { method: "HEAD", hasBody: false };
  assert.deepEqual(answeredWith(head, [complete({ body: "abc" })], { peerKnowsMethod: true }), [
    response(200, []),
    END,
  ]);
});

test("S8: hop-by-hop fields, lengths and what is no header field are dropped", () => {
  const headers = {
    "Transfer-Encoding": "chunked",
    connection: "x-hop",
    "x-hop": "1",
    "content-length": "99",
    "bad name": "1",
    "x-bad": "a\r\nb",
    "x-nul": "\u0000",
    "x-wide": "\u0100",
    "x-latin": "\u00e4",
    "x-ok": "1",
  };
  const [head] = answeredWith({}, [complete({ headers })]);
  assert.deepEqual(
    head,
    response(200, [
      ["x-latin", "\u00e4"],
      ["x-ok", "1"],
      ["content-length", "0"],
    ]),
  );
});

test("S9: an event stream is passed on chunk by chunk, its status is 200 until the end", () => {
  assert.deepEqual(
    answeredWith(STREAM, [
      chunk("data: 1\n\n"),
      chunk("rest"),
      complete({ headers: { "x-late": "1" }, body: "" }),
    ]),
    [SSE_HEAD, data("data: 1\n\n"), data("rest"), END],
  );
});

test("S9: an event stream is known by its start, however it is cut", () => {
  for (const start of [
    "data: 1",
    "event: x\n",
    "id: 1",
    "retry: 5",
    ": ping",
    "\ufeff\r\n\ndata:",
    "\n\n:",
  ]) {
    const chunks = [...start].map((unit) => chunk(unit));
    const events = answeredWith(STREAM, chunks);
    assert.deepEqual(events[0], SSE_HEAD, JSON.stringify(start));
    const text = events.slice(1).map((event) => event.text);
    assert.equal(text.join(""), start);
  }
});

test("S9: what does not look like an event stream waits for its status", () => {
  const messages = [
    chunk('{"error":'),
    chunk("1}"),
    complete({ status_code: 400, headers: { "x-b": "1" }, body: "" }),
  ];
  assert.deepEqual(answeredWith(STREAM, messages), [
    response(400, [
      ["x-b", "1"],
      ["content-length", "11"],
    ]),
    data('{"error":1}'),
    END,
  ]);
  for (const start of ["dat", "database", " data:", "\n".repeat(64), "event", ""]) {
    assert.deepEqual(answeredWith(STREAM, [chunk(start)]), [], JSON.stringify(start));
  }
});

test("S9: what is too long to be held back is let go as an event stream", () => {
  const half = "x".repeat(MAX_HELD_UNITS / 2);
  assert.deepEqual(answeredWith(STREAM, [chunk(half), chunk(half)]), []);
  const events = answeredWith(STREAM, [chunk(half), chunk(half), chunk("y"), chunk("z")]);
  assert.deepEqual(events, [SSE_HEAD, data(`${half}${half}y`), data("z")]);
});

test("a stream without a chunk is a whole answer", () => {
  const events = answeredWith(STREAM, [complete({ status_code: 404, body: "no" })]);
  assert.deepEqual(events, [response(404, [["content-length", "2"]]), data("no"), END]);
});

test("as in ModelRelay, a body after chunks and chunks of what is not streamed are dropped", () => {
  assert.deepEqual(answeredWith(STREAM, [chunk("data: 1"), complete({ body: "x" })]), [
    SSE_HEAD,
    data("data: 1"),
    END,
  ]);
  assert.deepEqual(answeredWith({}, [chunk("data: 1"), complete({ body: "x" })]), [
    response(200, [["content-length", "1"]]),
    data("x"),
    END,
  ]);
});

test("with the feature head the first chunk says status and headers at once", () => {
  const first = chunk("", { status_code: 201, headers: { "content-type": "text/event-stream", te: "x" } });
  const agreed = { features: ["head"] };
  assert.deepEqual(answeredWith(STREAM, [first, chunk("{"), complete({ status_code: 201 })], agreed), [
    response(201, [["content-type", "text/event-stream"]]),
    data("{"),
    END,
  ]);
  assert.deepEqual(answeredWith(STREAM, [first]), [], "not agreed, so it is any chunk");
  const bad = chunk("x", { status_code: 700 });
  assert.deepEqual(
    answeredWith(STREAM, [bad], agreed).map(({ code }) => code),
    ["invalid"],
  );
});

test("a stream that ends with a failure broke off: no clean end", () => {
  const codeAfter = (status: number) =>
    answeredWith(STREAM, [chunk(":"), complete({ status_code: status })]).at(-1);
  assert.equal(codeAfter(502)!.code, "backend_broke_off");
  assert.equal(codeAfter(504)!.code, "timeout");
  assert.equal(codeAfter(400)!.type, "end");
});

test("a status outside 200 to 599 is no answer", () => {
  for (const status of [0, 100, 101, 199, 600, 999, 65535]) {
    const [event, ...more] = answeredWith({}, [complete({ status_code: status })]);
    assert.deepEqual([event!.type, event!.code, more.length], ["reset", "invalid", 0], `${status}`);
  }
});

test("S14: a coded body that was read as text is no answer", () => {
  const events = answeredWith({}, [
    complete({ headers: { "Content-Encoding": "gzip" }, body: "\u001f\ufffd" }),
  ]);
  assert.deepEqual(
    events.map(({ type, code }) => [type, code]),
    [["reset", "invalid"]],
  );
  assert.equal(answeredWith({}, [complete({ headers: { "content-encoding": "identity" } })]).length, 2);
});

test("9.9: an error message fails its request, without one it is only told", () => {
  const relay = relayEnd();
  relay.open();
  relay.receive({ type: "error", code: "c", message: "m" });
  relay.receive({ type: "error", request_id: "id-1", code: "c", message: "m" });
  relay.receive({ type: "error", request_id: "id-1", code: "c", message: "m" });
  assert.deepEqual(relay.events.slice(1), [
    { type: "control", message: { type: "error", code: "c", message: "m" } },
    { type: "reset", exchange: 1, code: "backend_broke_off", text: "c: m" },
  ]);
  assert.equal(relay.connection.dropped, 1);
});

test("9.9: late and unknown answers are counted and dropped", () => {
  const relay = relayEnd();
  relay.open();
  relay.receive(complete());
  relay.receive(chunk("late"));
  relay.receive(complete());
  relay.receive({ ...complete(), request_id: "never" });
  assert.equal(relay.connection.dropped, 3);
  assert.equal(relay.events.filter(({ type }) => type === "end").length, 1);
});

test("an answer to what was not sent yet is none", () => {
  const relay = relayEnd();
  const exchange = relay.connection.openExchange(HEAD);
  relay.receive(complete());
  relay.connection.sendEnd(exchange);
  relay.receive(complete());
  assert.equal(relay.connection.dropped, 2);
  assert.equal(relay.sent().length, 1);
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
  const body = "x".repeat(20 * MIB);
  const events = answeredWith({}, [complete({ body })]);
  assert.deepEqual(
    events.map(({ type }) => type),
    ["response", "data", "end"],
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
