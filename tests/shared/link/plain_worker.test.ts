import assert from "node:assert/strict";
import { test } from "node:test";
import { LinkProtocolError, type LinkResponseHead } from "../../../shared/link/events.ts";
import { SEND_QUEUE_BYTES } from "../../../shared/link/limits.ts";
import { allTexts, bytes, workerEnd } from "./plain_ends.ts";

const JSON_HEAD: LinkResponseHead = { status: 200, headers: [["Content-Type", "application/json"]] };
const SSE_HEAD: LinkResponseHead = {
  status: 200,
  headers: [["Content-Type", "text/event-stream; charset=utf-8"]],
};
const STREAM = { is_streaming: true };

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
