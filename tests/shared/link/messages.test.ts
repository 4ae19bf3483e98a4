import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LinkProtocolError } from "../../../shared/link/events.ts";
import {
  type Message,
  type MessageNamed,
  parseRelayMessage,
  parseWorkerMessage,
  serialise,
} from "../../../shared/link/messages.ts";
import { MAX_CONTROL_TEXT_UNITS, MAX_TEXT_UNITS } from "../../../shared/link/read_message.ts";

/** One whole message of each type, as they stand in ModelRelay's protocol and in ours. */
const WORKER_MESSAGES = [
  '{"type":"register","worker_name":"probe","models":["m","x"],"max_concurrent":4,"protocol_version":"2026-04-bridge-v1","current_load":0}',
  '{"type":"models_update","models":["a","b"],"current_load":0}',
  '{"type":"ping","timestamp_unix_ms":1712345678901}',
  '{"type":"pong","current_load":0,"timestamp_unix_ms":1712345678901}',
  '{"type":"response_chunk","request_id":"r","chunk":"data: 1\\n\\n"}',
  '{"type":"response_complete","request_id":"r","status_code":200,"headers":{"content-type":"text/plain"},"body":"b","token_counts":{"prompt_tokens":11}}',
  '{"type":"error","request_id":"r","code":"upstream_error","message":"m"}',
  '{"type":"drain","reason":"stopping","drain_timeout_secs":30}',
  '{"type":"load","current_load":3}',
];
const RELAY_MESSAGES = [
  '{"type":"register_ack","worker_id":"worker-3","models":["m"],"warnings":["w"],"protocol_version":"2026-04-bridge-v1"}',
  '{"type":"ping"}',
  '{"type":"pong","current_load":0}',
  '{"type":"request","request_id":"r","model":"m","endpoint_path":"/v1/x?y","is_streaming":false,"body":"{}","headers":{"accept":"*/*"}}',
  '{"type":"cancel","request_id":"r","reason":"client_disconnect"}',
  '{"type":"cancel","request_id":"r","reason":{"other":"text"}}',
  '{"type":"graceful_shutdown","reason":"r","drain_timeout_secs":30}',
  '{"type":"models_refresh","reason":"r"}',
  '{"type":"drain"}',
];

test("every message is read and written back as it was", () => {
  for (const text of WORKER_MESSAGES) assert.equal(serialise(parseWorkerMessage(text)), text);
  for (const text of RELAY_MESSAGES) assert.equal(serialise(parseRelayMessage(text)), text);
});

const VALUES = [undefined, null, 1.5, -1, 2 ** 32, "", "x", [], ["x"], {}, { x: "y" }, true];

/** Which of VALUES may stand in a field; the whole table of the protocol. */
const FIELDS: { from: "worker" | "relay"; base: string; field: string; takes: unknown[] }[] = [
  { from: "worker", base: WORKER_MESSAGES[0]!, field: "worker_name", takes: ["", "x"] },
  { from: "worker", base: WORKER_MESSAGES[0]!, field: "models", takes: [[], ["x"]] },
  { from: "worker", base: WORKER_MESSAGES[0]!, field: "max_concurrent", takes: [] },
  { from: "worker", base: WORKER_MESSAGES[0]!, field: "protocol_version", takes: [undefined, null, "", "x"] },
  { from: "worker", base: WORKER_MESSAGES[0]!, field: "current_load", takes: [undefined, null] },
  { from: "worker", base: WORKER_MESSAGES[0]!, field: "endpoint_prefixes", takes: [undefined, [], ["x"]] },
  { from: "worker", base: WORKER_MESSAGES[0]!, field: "features", takes: [undefined, [], ["x"]] },
  { from: "worker", base: WORKER_MESSAGES[0]!, field: "labels", takes: [undefined, {}, { x: "y" }] },
  { from: "worker", base: WORKER_MESSAGES[0]!, field: "session", takes: [undefined, null, "", "x"] },
  { from: "worker", base: WORKER_MESSAGES[0]!, field: "provider_variant", takes: [undefined, null, "", "x"] },
  { from: "worker", base: WORKER_MESSAGES[1]!, field: "current_load", takes: [] },
  { from: "worker", base: WORKER_MESSAGES[3]!, field: "current_load", takes: [] },
  {
    from: "worker",
    base: WORKER_MESSAGES[3]!,
    field: "timestamp_unix_ms",
    takes: [undefined, null, 2 ** 32],
  },
  { from: "worker", base: WORKER_MESSAGES[4]!, field: "chunk", takes: ["", "x"] },
  { from: "worker", base: WORKER_MESSAGES[4]!, field: "request_id", takes: ["", "x"] },
  { from: "worker", base: WORKER_MESSAGES[5]!, field: "status_code", takes: [] },
  { from: "worker", base: WORKER_MESSAGES[5]!, field: "headers", takes: [undefined, {}, { x: "y" }] },
  { from: "worker", base: WORKER_MESSAGES[5]!, field: "body", takes: [undefined, null, "", "x"] },
  {
    from: "worker",
    base: WORKER_MESSAGES[5]!,
    field: "token_counts",
    takes: [undefined, null, {}, { x: "y" }],
  },
  { from: "worker", base: WORKER_MESSAGES[6]!, field: "request_id", takes: [undefined, null, "", "x"] },
  { from: "worker", base: WORKER_MESSAGES[6]!, field: "code", takes: ["", "x"] },
  { from: "relay", base: RELAY_MESSAGES[0]!, field: "worker_id", takes: ["", "x"] },
  { from: "relay", base: RELAY_MESSAGES[0]!, field: "warnings", takes: [undefined, [], ["x"]] },
  { from: "relay", base: RELAY_MESSAGES[0]!, field: "protocol_version", takes: [undefined, null, "", "x"] },
  { from: "relay", base: RELAY_MESSAGES[3]!, field: "model", takes: ["", "x"] },
  { from: "relay", base: RELAY_MESSAGES[3]!, field: "endpoint_path", takes: ["", "x"] },
  { from: "relay", base: RELAY_MESSAGES[3]!, field: "is_streaming", takes: [true] },
  { from: "relay", base: RELAY_MESSAGES[3]!, field: "body", takes: ["", "x"] },
  { from: "relay", base: RELAY_MESSAGES[3]!, field: "headers", takes: [undefined, {}, { x: "y" }] },
  { from: "relay", base: RELAY_MESSAGES[3]!, field: "method", takes: [undefined, null, "", "x"] },
  { from: "relay", base: RELAY_MESSAGES[4]!, field: "reason", takes: [] },
  { from: "relay", base: RELAY_MESSAGES[6]!, field: "reason", takes: [undefined, null, "", "x"] },
  { from: "relay", base: RELAY_MESSAGES[6]!, field: "drain_timeout_secs", takes: [undefined, null, 2 ** 32] },
];

test("every field takes what its row in the table says, and nothing else", () => {
  for (const { from, base, field, takes } of FIELDS) {
    for (const value of VALUES) {
      const text = JSON.stringify({ ...JSON.parse(base), [field]: value });
      const expected = takes.some((taken) => JSON.stringify(taken) === JSON.stringify(value));
      const parse = () => (from === "worker" ? parseWorkerMessage(text) : parseRelayMessage(text));
      if (expected) assert.doesNotThrow(parse, text);
      else assert.throws(parse, LinkProtocolError, text);
    }
  }
});

test("unknown fields are ignored and null stands for absent", () => {
  const message = parseWorkerMessage('{"x":{"y":1},"type":"pong","current_load":1,"timestamp_unix_ms":null}');
  assert.equal(serialise(message), '{"type":"pong","current_load":1}');
});

test("S3: a cancel takes the six reasons and {other}", () => {
  const reasons = ["client_disconnect", "timeout", "graceful_shutdown", "worker_disconnect"];
  for (const reason of [...reasons, "requeue_exhausted", "server_shutdown", { other: "x" }]) {
    const message = { type: "cancel", request_id: "r", reason };
    assert.deepEqual(parseRelayMessage(JSON.stringify(message)), message);
  }
  for (const reason of ["user_abort", {}, { other: 1 }, null]) {
    const text = JSON.stringify({ type: "cancel", request_id: "r", reason });
    assert.throws(() => parseRelayMessage(text), LinkProtocolError);
  }
});

test("a message of the other side, or of neither, is refused with a sentence", () => {
  const refused = (text: string, sentence: RegExp) =>
    assert.throws(() => parseWorkerMessage(text), { name: "LinkProtocolError", message: sentence });
  for (const text of RELAY_MESSAGES) {
    const { type } = JSON.parse(text) as Message;
    if (!["ping", "pong", "drain"].includes(type)) refused(text, /its type must be one that it sends/);
  }
  refused('{"type":"toString"}', /found|toString/);
  refused('{"type":3}', /number/);
  refused("null", /undefined/);
  refused("{", /it must be JSON/);
  refused(
    '{"type":"pong"}',
    /Cannot read a pong of the worker: current_load: expected number, received undefined/,
  );
});

test("lengths are bounded before anything is made of the text", () => {
  const long = JSON.stringify({ type: "models_update", models: ["x".repeat(MAX_CONTROL_TEXT_UNITS)] });
  assert.throws(() => parseWorkerMessage(long), /at most 1048576 characters/);
  assert.throws(() => parseWorkerMessage(" ".repeat(MAX_TEXT_UNITS + 1)), /at most 67108864 characters/);
  const chunk = JSON.stringify({
    type: "response_chunk",
    request_id: "r",
    chunk: "x".repeat(MAX_CONTROL_TEXT_UNITS),
  });
  assert.equal(parseWorkerMessage(chunk).type, "response_chunk");
});

test("a long text that is no long string is refused before it is parsed", () => {
  for (const unit of ["[", "{", "[],", '"\\"",']) {
    const text = `[${unit.repeat(2 * MAX_CONTROL_TEXT_UNITS)}`;
    assert.throws(() => parseWorkerMessage(text), /at most 65536 values/, unit);
  }
  const quotes = '\\"[,{'.repeat(MAX_CONTROL_TEXT_UNITS);
  const chunk = JSON.stringify({ type: "response_chunk", request_id: "r", chunk: quotes });
  assert.equal(parseWorkerMessage(chunk).type, "response_chunk");
});

test("nesting deeper than the stack is refused like any other nonsense", () => {
  const deep = `{"type":"register","labels":${"[".repeat(400_000)}${"]".repeat(400_000)}}`;
  assert.throws(() => parseWorkerMessage(deep), LinkProtocolError);
});

test("S13, W11: only well-formed Unicode is written", () => {
  const message: MessageNamed<"response_chunk"> = {
    type: "response_chunk",
    request_id: "r",
    chunk: "a\ud800b \\ud800 \u{1f600}",
    headers: { "x\udc00": "\ud83d" },
  };
  const text = serialise(message);
  assert.equal(text.isWellFormed(), true);
  assert.doesNotMatch(text, /(?<!\\)\\ud8/);
  assert.deepEqual(JSON.parse(text), {
    type: "response_chunk",
    request_id: "r",
    chunk: "a\ufffdb \\ud800 \u{1f600}",
    headers: { "x\ufffd": "\ufffd" },
  });
});

test("W12: integers are written without a point", () => {
  const message: Message = { type: "pong", current_load: 2 ** 32 - 1, timestamp_unix_ms: 2 ** 53 };
  assert.equal(
    serialise(message),
    '{"type":"pong","current_load":4294967295,"timestamp_unix_ms":9007199254740992}',
  );
});

test("any text gives a message or a LinkProtocolError", () => {
  const mutated = fc
    .tuple(fc.constantFrom(...WORKER_MESSAGES, ...RELAY_MESSAGES), fc.nat(), fc.nat(4), fc.string())
    .map(([text, at, cut, insert]) => {
      const place = at % text.length;
      return text.slice(0, place) + insert + text.slice(place + cut);
    });
  const json = fc.json().map((text) => `{"type":"register","labels":${text}}`);
  fc.assert(
    fc.property(fc.oneof(mutated, json, fc.string()), (text) => {
      for (const parse of [parseWorkerMessage, parseRelayMessage]) {
        try {
          assert.equal(typeof parse(text).type, "string");
        } catch (error) {
          assert.ok(error instanceof LinkProtocolError, `${error}`);
        }
      }
    }),
    { numRuns: 2000 },
  );
});
