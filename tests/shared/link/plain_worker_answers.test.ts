import assert from "node:assert/strict";
import { test } from "node:test";
import type { LinkResponseHead } from "../../../shared/link/events.ts";
import { MAX_SENT_TEXT_BYTES } from "../../../shared/link/plain_limits.ts";
import { bytes, workerEnd } from "./plain_ends.ts";

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
