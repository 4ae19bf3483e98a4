import assert from "node:assert/strict";
import { test } from "node:test";
import { LinkProtocolError, type LinkResponseHead } from "../../../shared/link/events.ts";
import { SEND_QUEUE_BYTES } from "../../../shared/link/limits.ts";
import { MAX_SENT_TEXT_BYTES } from "../../../shared/link/plain_limits.ts";
import { allTexts, bytes, workerEnd } from "./plain_ends.ts";

const MIB = 1024 * 1024;
const JSON_HEAD: LinkResponseHead = { status: 200, headers: [["Content-Type", "application/json"]] };
const SSE_HEAD: LinkResponseHead = {
  status: 200,
  headers: [["Content-Type", "text/event-stream; charset=utf-8"]],
};
const STREAM = { is_streaming: true };

/** Answer one request and give the messages. */
function answer(request: object, head: LinkResponseHead, ...pieces: string[]) {
  const worker = workerEnd();
  const exchange = worker.request(request);
  worker.connection.sendResponse(exchange, head);
  for (const piece of pieces) worker.connection.sendData(exchange, bytes(piece));
  worker.connection.sendEnd(exchange);
  return worker.sent();
}

const error = (message: Record<string, unknown> | undefined) => JSON.parse(message!.body as string).error;

// --- requests -----------------------------------------------------------------------------------------------

test("a request becomes head, body and end; accept-encoding and framing are not passed on", () => {
  const worker = workerEnd();
  worker.receive({
    type: "request",
    request_id: "r1",
    model: "m",
    endpoint_path: "/v1/x?y=1",
    is_streaming: true,
    body: '{"a":"ä"}',
    headers: {
      Accept: "*/*",
      "accept-encoding": "gzip",
      "transfer-encoding": "chunked",
      "bad\n": "x",
      host: "h",
    },
    method: "PUT",
  });
  assert.deepEqual(worker.events, [
    {
      type: "request",
      exchange: 1,
      head: {
        method: "PUT",
        target: "/v1/x?y=1",
        headers: [
          ["accept", "*/*"],
          ["content-length", "10"],
        ],
        hasBody: true,
        streaming: true,
        upgrade: false,
        model: "m",
      },
    },
    { type: "data", exchange: 1, text: '{"a":"ä"}' },
    { type: "end", exchange: 1 },
  ]);
});

test("an empty body is none; where one is expected its length says so", () => {
  for (const [method, headers] of [
    [undefined, [["content-length", "0"]]],
    ["PATCH", [["content-length", "0"]]],
    ["GET", []],
    ["DELETE", []],
  ] as const) {
    const worker = workerEnd();
    worker.request({ body: "", ...(method && { method }) });
    const head = worker.events[0]!.head as { headers: unknown; hasBody: boolean };
    assert.deepEqual([worker.events.length, head.hasBody, head.headers], [1, false, headers]);
  }
});

test("W5: a method or path that no request line takes is answered, not dropped", () => {
  for (const bad of [
    { method: "GET /" },
    { method: "get" },
    { endpoint_path: "v1" },
    { endpoint_path: "/a b" },
  ]) {
    const worker = workerEnd();
    worker.request(bad);
    const [message] = worker.sent();
    assert.deepEqual(
      [message!.type, message!.status_code, worker.events.length],
      ["response_complete", 400, 0],
    );
  }
});

// --- answers ------------------------------------------------------------------------------------------------

test("W6: a successful event stream leaves in chunks, then completes with status and headers", () => {
  assert.deepEqual(answer(STREAM, SSE_HEAD, "data: 1\n\n", "data: 2\n\n"), [
    { type: "response_chunk", request_id: "r1", chunk: "data: 1\n\ndata: 2\n\n" },
    {
      type: "response_complete",
      request_id: "r1",
      status_code: 200,
      headers: { "content-type": "text/event-stream; charset=utf-8" },
      body: "",
    },
  ]);
});

test("W6: everything else leaves whole, with status, headers and body", () => {
  const rows: [object, LinkResponseHead][] = [
    [{}, JSON_HEAD],
    [{}, SSE_HEAD],
    [STREAM, JSON_HEAD],
    [STREAM, { ...SSE_HEAD, status: 400 }],
    [STREAM, { status: 200, headers: [] }],
  ];
  for (const [request, head] of rows) {
    const messages = answer(request, head, '{"a"', ":1}");
    assert.equal(messages.length, 1);
    const { type, status_code, body } = messages[0]!;
    assert.deepEqual([type, status_code, body], ["response_complete", head.status, '{"a":1}']);
  }
});

test("W7: hop-by-hop fields and lengths are not reported, repeated fields are one", () => {
  const [message] = answer(
    {},
    {
      status: 200,
      headers: [
        ["Transfer-Encoding", "chunked"],
        ["Connection", "x-hop"],
        ["X-Hop", "1"],
        ["Content-Length", "7"],
        ["Vary", "a"],
        ["vary", "b"],
        ["Set-Cookie", "a=1"],
        ["Set-Cookie", "b=2"],
      ],
    },
    "{}",
  );
  assert.deepEqual(message!.headers, { vary: "a, b", "set-cookie": "b=2" });
  assert.equal("headers" in answer({}, { status: 200, headers: [] })[0]!, false);
});

test("W11: a character that two pieces share arrives whole, streamed or not", () => {
  const text = "data: \u00e4\u20ac\u{1f600}\n\n";
  const whole = bytes(text);
  for (let at = 0; at <= whole.length; at++) {
    for (const head of [SSE_HEAD, JSON_HEAD]) {
      const worker = workerEnd();
      const exchange = worker.request(STREAM);
      worker.connection.sendResponse(exchange, head);
      worker.connection.sendData(exchange, whole.subarray(0, at));
      const messages = worker.sent();
      worker.connection.sendData(exchange, whole.subarray(at));
      worker.connection.sendEnd(exchange);
      messages.push(...worker.sent());
      assert.equal(messages.map(({ chunk, body }) => chunk ?? body).join(""), text);
    }
  }
});

test("W11: a long piece is cut between characters, and no message is long", () => {
  const text = `a${"\u{1f600}".repeat(200_000)}`;
  const messages = answer(STREAM, SSE_HEAD, text);
  const chunks = messages.slice(0, -1).map(({ chunk }) => chunk as string);
  assert.equal(chunks.join(""), text);
  for (const chunk of chunks) assert.ok(chunk.length <= 65_536 && chunk.isWellFormed());
});

test("W5: an answer that is not text becomes a 502 that says so, and the worker is told", () => {
  const rows: [string, LinkResponseHead, Uint8Array][] = [
    ["bytes", JSON_HEAD, new Uint8Array([0x7b, 0xff])],
    ["cut off", JSON_HEAD, new Uint8Array([0xc3])],
    ["coded", { status: 200, headers: [["Content-Encoding", "gzip"]] }, bytes("x")],
    ["coded stream", { status: 200, headers: [...SSE_HEAD.headers, ["Content-Encoding", "br"]] }, bytes("x")],
  ];
  for (const [name, head, body] of rows) {
    const worker = workerEnd();
    const exchange = worker.request(STREAM);
    worker.connection.sendResponse(exchange, head);
    worker.connection.sendData(exchange, body);
    worker.connection.sendEnd(exchange);
    const messages = worker.sent();
    assert.deepEqual([messages.length, messages[0]!.status_code], [1, 502], name);
    assert.equal(error(messages[0]).code, "plain_link_text_only");
    assert.deepEqual(
      worker.events.slice(3).map(({ type, code }) => [type, code]),
      [["reset", "text_only"]],
    );
    assert.equal(worker.connection.open, 0);
  }
});

test("W11: an answer above 15 MiB of JSON becomes a 502", () => {
  for (const body of [
    new Uint8Array(MAX_SENT_TEXT_BYTES + 1).fill(0x20),
    new Uint8Array(8 * MIB).fill(0x22),
  ]) {
    const worker = workerEnd();
    const exchange = worker.request();
    worker.connection.sendResponse(exchange, JSON_HEAD);
    worker.connection.sendData(exchange, body);
    worker.connection.sendEnd(exchange);
    const [message] = worker.sent();
    assert.deepEqual([message!.status_code, error(message).code], [502, "link_overflow"]);
    assert.equal(worker.events.at(-1)!.code, "too_large");
  }
  const long = "x".repeat(14 * MIB);
  assert.equal(answer({}, JSON_HEAD, long)[0]!.body, long);
});

test("answers that are collected are bounded together, and what left makes room", () => {
  const worker = workerEnd();
  const piece = new Uint8Array(14 * MIB).fill(0x20);
  const exchanges = ["a", "b", "c", "d", "e"].map((request_id) => worker.request({ request_id }));
  for (const exchange of exchanges) {
    worker.connection.sendResponse(exchange, JSON_HEAD);
    worker.connection.sendData(exchange, piece);
  }
  assert.deepEqual(
    worker.sent().map(({ request_id, status_code }) => [request_id, status_code]),
    [["e", 502]],
  );
  worker.connection.sendEnd(exchanges[0]!);
  assert.equal(worker.sent()[0]!.status_code, 200);
  const sixth = worker.request({ request_id: "f" });
  worker.connection.sendResponse(sixth, JSON_HEAD);
  worker.connection.sendData(sixth, piece);
  worker.connection.sendEnd(sixth);
  assert.equal(worker.sent()[0]!.status_code, 200);
});

test("with the feature head, status and headers leave before the first byte of a stream", () => {
  const worker = workerEnd(["head"]);
  const exchange = worker.request(STREAM);
  worker.connection.sendResponse(exchange, { ...SSE_HEAD, status: 201 });
  assert.deepEqual(worker.sent(), [
    {
      type: "response_chunk",
      request_id: "r1",
      chunk: "",
      status_code: 201,
      headers: { "content-type": "text/event-stream; charset=utf-8" },
    },
  ]);
  worker.connection.sendData(exchange, bytes("data: 1\n\n"));
  assert.deepEqual(worker.sent(), [{ type: "response_chunk", request_id: "r1", chunk: "data: 1\n\n" }]);
});

// --- failures -----------------------------------------------------------------------------------------------

test("W2, W5: a failure before the answer is a status with JSON, never an error message", () => {
  const rows = [
    ["backend_unreachable", 502, "backend_unreachable"],
    ["backend_broke_off", 502, "backend_broke_off"],
    ["backend_invalid", 502, "backend_invalid"],
    ["timeout", 504, "request_timeout"],
    ["refused", 503, "worker_refused"],
  ] as const;
  for (const [code, status, failure] of rows) {
    for (const begin of [false, true]) {
      const worker = workerEnd();
      const exchange = worker.request(STREAM);
      if (begin) worker.connection.sendResponse(exchange, JSON_HEAD);
      if (begin) worker.connection.sendData(exchange, bytes("{"));
      worker.connection.sendReset(exchange, code, "connect ECONNREFUSED 127.0.0.1:1");
      const texts = allTexts(worker.connection);
      assert.equal(texts.length, 1);
      const message = JSON.parse(texts[0]!);
      assert.deepEqual([message.status_code, error(message).code], [status, failure]);
      assert.deepEqual(message.headers, { "content-type": "application/json" });
      assert.doesNotMatch(texts[0]!, /127/, "no address of the worker's network");
      assert.equal(worker.connection.open, 0);
    }
  }
});

test("9.8: a failure within a stream is its last event, in the dialect of its API, then a 502", () => {
  for (const [endpoint_path, shape] of [
    ["/v1/chat/completions", /^event: error\ndata: \{"error":\{"message":"[^"]+","type":"server_error"/],
    ["/v1/messages?beta=true", /^event: error\ndata: \{"type":"error","error":\{"type":"api_error"/],
  ] as const) {
    const worker = workerEnd();
    const exchange = worker.request({ ...STREAM, endpoint_path });
    worker.connection.sendResponse(exchange, SSE_HEAD);
    worker.connection.sendData(exchange, bytes("data: 1\n\n"));
    worker.sent();
    worker.connection.sendReset(exchange, "backend_broke_off", "");
    const [chunk, complete, ...more] = worker.sent();
    assert.match(chunk!.chunk as string, shape);
    assert.ok((chunk!.chunk as string).endsWith("\n\n"));
    assert.deepEqual(complete, { type: "response_complete", request_id: "r1", status_code: 502, body: "" });
    assert.deepEqual(more, []);
  }
});

test("9.8: the last event of a stream is not glued to half an event", () => {
  const worker = workerEnd();
  const exchange = worker.request(STREAM);
  worker.connection.sendResponse(exchange, SSE_HEAD);
  worker.connection.sendData(exchange, bytes("data: 1\n\ndata: {"));
  worker.connection.sendReset(exchange, "timeout", "");
  const [chunk, complete] = worker.sent();
  assert.ok((chunk!.chunk as string).startsWith("data: 1\n\ndata: {\n\nevent: error\n"));
  assert.equal(complete!.status_code, 504);
});

test("bytes that are not text, in the middle of a stream, end it like any failure", () => {
  const worker = workerEnd();
  const exchange = worker.request(STREAM);
  worker.connection.sendResponse(exchange, SSE_HEAD);
  worker.connection.sendData(exchange, bytes("data: 1\n\n"));
  worker.connection.sendData(exchange, new Uint8Array([0xff]));
  worker.connection.sendData(exchange, bytes("more"));
  worker.connection.sendEnd(exchange);
  const [chunk, complete, ...more] = worker.sent();
  assert.match(chunk!.chunk as string, /^data: 1\n\nevent: error\n/);
  assert.deepEqual([complete!.status_code, more.length], [502, 0]);
  assert.equal(worker.events.at(-1)!.code, "text_only");
});

test("a reset of the worker's own is not told back to it", () => {
  const worker = workerEnd();
  const exchange = worker.request();
  worker.connection.sendResponse(exchange, { status: 200, headers: [["content-encoding", "gzip"]] });
  worker.connection.sendReset(exchange, "backend_broke_off", "");
  worker.sent();
  assert.equal(
    worker.events.some(({ type }) => type === "reset"),
    false,
  );
});

// --- cancel -------------------------------------------------------------------------------------------------

test("W3, W4: a cancel is answered with 499 at once, and nothing of the request follows", () => {
  const worker = workerEnd();
  const exchange = worker.request(STREAM);
  const { connection } = worker;
  connection.sendResponse(exchange, SSE_HEAD);
  connection.sendData(exchange, bytes("data: queued\n\n"));
  worker.receive({ type: "cancel", request_id: "r1", reason: { other: "gone" } });
  assert.deepEqual(worker.events.at(-1), { type: "reset", exchange, code: "cancelled", text: "gone" });
  connection.sendData(exchange, bytes("data: late\n\n"));
  connection.sendEnd(exchange);
  connection.sendReset(exchange, "backend_broke_off", "");
  assert.deepEqual(worker.sent(), [
    { type: "response_complete", request_id: "r1", status_code: 499, body: "" },
  ]);
  assert.equal(connection.open, 0);
});

test("W4: a cancel that crosses the end is answered once", () => {
  const worker = workerEnd();
  const exchange = worker.request();
  worker.connection.sendResponse(exchange, JSON_HEAD);
  worker.connection.sendEnd(exchange);
  const cancel = { type: "cancel", request_id: "r1", reason: "timeout" };
  worker.receive(cancel);
  assert.deepEqual(
    worker.sent().map(({ status_code }) => status_code),
    [499],
  );
  assert.equal(
    worker.events.some(({ type }) => type === "reset"),
    false,
    "it had ended here",
  );
  worker.receive(cancel);
  assert.deepEqual([worker.sent(), worker.connection.dropped], [[], 1]);
});

test("W3: a request that is refused while it is told is answered once and told no further", () => {
  const worker = workerEnd([], (event) => {
    if (event.type === "request") worker.connection.sendReset(event.exchange, "refused", "");
  });
  worker.request();
  assert.deepEqual(
    worker.events.map(({ type }) => type),
    ["request"],
  );
  assert.deepEqual(
    worker.sent().map(({ status_code }) => status_code),
    [503],
  );
});

// --- flow and order -----------------------------------------------------------------------------------------

test("a stream that outruns the socket is told to wait, and when to go on", () => {
  const worker = workerEnd();
  const exchange = worker.request(STREAM);
  worker.connection.sendResponse(exchange, SSE_HEAD);
  const piece = bytes("x".repeat(SEND_QUEUE_BYTES / 2));
  assert.equal(worker.connection.sendData(exchange, piece), true);
  assert.equal(worker.connection.sendData(exchange, piece), true);
  assert.equal(worker.connection.sendData(exchange, bytes("y")), false);
  const writable = () => worker.events.filter(({ type }) => type === "writable").length;
  assert.equal(writable(), 0);
  worker.connection.next();
  assert.equal(writable(), 1);
  worker.sent();
  assert.equal(writable(), 1);
});

test("streams take turns, pongs and the answers to cancels go ahead of them", () => {
  const worker = workerEnd();
  for (const request_id of ["a", "b", "c"]) {
    const exchange = worker.request({ ...STREAM, request_id });
    worker.connection.sendResponse(exchange, SSE_HEAD);
    worker.connection.sendData(exchange, bytes(request_id.repeat(150_000)));
  }
  worker.connection.sendControl({ type: "pong", current_load: 3 });
  worker.receive({ type: "cancel", request_id: "c", reason: "timeout" });
  assert.deepEqual(
    worker.sent().map(({ type, request_id }) => request_id ?? type),
    ["c", "pong", "a", "b", "a", "b", "a", "b"],
  );
});

test("W2, W8, W10: only types that ModelRelay's server knows are sent", () => {
  const worker = workerEnd();
  worker.request();
  const { connection } = worker;
  connection.sendControl({ type: "ping" });
  connection.sendControl({ type: "error", code: "x", message: "y" });
  connection.sendControl({ type: "register", worker_name: "w", models: [], max_concurrent: 1 });
  assert.deepEqual(allTexts(connection), []);
  connection.sendControl({ type: "load", current_load: 2 });
  connection.sendControl({ type: "drain", drain_timeout_secs: 9 });
  assert.deepEqual(allTexts(connection), [
    '{"type":"pong","current_load":2}',
    '{"type":"models_update","models":[],"current_load":1}',
  ]);
});

test("controls that wait do not pile up: the latest of each type is sent", () => {
  const { connection } = workerEnd();
  for (let load = 0; load < 1000; load++) connection.sendControl({ type: "pong", current_load: load });
  assert.deepEqual(allTexts(connection), ['{"type":"pong","current_load":999}']);
});

// --- the peer -----------------------------------------------------------------------------------------------

test("a binary message is ignored, as ModelRelay's worker does", () => {
  const worker = workerEnd();
  worker.connection.receive(new Uint8Array([1, 2]));
  assert.deepEqual([worker.events, worker.connection.dropped], [[], 1]);
});

test("an id that is in use, too many requests and an unknown type break the protocol", () => {
  const worker = workerEnd();
  worker.request();
  assert.throws(() => worker.request(), LinkProtocolError);
  const many = workerEnd();
  for (let count = 0; count < 4096; count++) many.request({ request_id: `${count}` });
  assert.throws(() => many.request({ request_id: "more" }), /More than 4096/);
  assert.throws(() => workerEnd().receive({ type: "mystery" }), LinkProtocolError);
  assert.throws(() => workerEnd().request({ headers: null }), LinkProtocolError);
});

test("a relay that takes no answers while it cancels is bounded", () => {
  const worker = workerEnd();
  assert.throws(() => {
    for (let count = 0; count < 100_000; count++) {
      worker.receive({
        type: "request",
        request_id: "r",
        model: "",
        endpoint_path: "/",
        is_streaming: false,
        body: "",
      });
      worker.receive({ type: "cancel", request_id: "r", reason: "timeout" });
    }
  }, LinkProtocolError);
});
