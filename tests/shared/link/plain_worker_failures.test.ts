import assert from "node:assert/strict";
import { test } from "node:test";
import { FAILURES, type FailureEntry } from "../../../shared/failure_table.ts";
import type { LinkResponseHead } from "../../../shared/link/events.ts";
import { allTexts, bytes, workerEnd } from "./plain_ends.ts";

const JSON_HEAD: LinkResponseHead = { status: 200, headers: [["Content-Type", "application/json"]] };
const SSE_HEAD: LinkResponseHead = {
  status: 200,
  headers: [["Content-Type", "text/event-stream; charset=utf-8"]],
};
const STREAM = { is_streaming: true };

const error = (message: Record<string, unknown> | undefined) => JSON.parse(message!.body as string).error;

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
      const { retryAfterS }: FailureEntry = FAILURES[failure];
      const again = retryAfterS !== undefined && { "retry-after": `${retryAfterS}` };
      assert.deepEqual(message.headers, { "content-type": "application/json", ...again });
      assert.doesNotMatch(texts[0]!, /127/, "no address of the worker's network");
      assert.equal(worker.connection.open, 0);
    }
  }
});

test("a failure within a stream is its last event, in the dialect of its API, then a 502", () => {
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

test("the last event of a stream is not glued to half an event", () => {
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
