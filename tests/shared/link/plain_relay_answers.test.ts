import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_HELD_UNITS } from "../../../shared/link/plain_limits.ts";
import { HEAD, relayEnd, type SeenEvent } from "./plain_ends.ts";

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

test("an error message fails its request, without one it is only told", () => {
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

test("late and unknown answers are counted and dropped", () => {
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
