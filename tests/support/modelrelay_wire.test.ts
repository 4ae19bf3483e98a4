import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { JsonNumber, JsonObject, type JsonValue, readJson } from "./modelrelay/json_text.ts";
import { readFromServer, readFromWorker } from "./modelrelay/wire.ts";

function plain(value: JsonValue): unknown {
  if (value instanceof JsonNumber) return Number(value.text);
  if (Array.isArray(value)) return value.map(plain);
  if (!(value instanceof JsonObject)) return value;
  return Object.fromEntries(value.members.map(([name, item]) => [name, plain(item)]));
}

test("readJson() reads what JSON.parse reads", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(undefined, 1, "\t"), (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      if (!text.includes("\\ud")) assert.deepEqual(plain(readJson(text)), JSON.parse(text));
    }),
  );
});

test("readJson() refuses what JSON.parse refuses, and what serde_json does beside", () => {
  const wrong = [
    "",
    " ",
    "{",
    "[1,]",
    "{,}",
    '{"a"}',
    "01",
    "1.",
    ".5",
    "+1",
    "nul",
    "1 2",
    '"',
    '"\\x"',
    '"\u0001"',
  ];
  for (const text of [...wrong, '"\\ud800"', '"\\udc00\\ud800"', "[".repeat(128) + "]".repeat(128)]) {
    assert.throws(() => readJson(text), SyntaxError, text);
  }
  assert.equal(readJson('"\\ud83d\\ude00"'), "\u{1f600}");
  assert.doesNotThrow(() => readJson("[".repeat(127) + "]".repeat(127)));
});

/** Each beside a message that is taken and differs in one thing. */
const WORKER_PAIRS: [taken: string, refused: string][] = [
  ['{"current_load":1,"type":"pong"}', '{"current_load":1,"type":"pong","type":"pong"}'],
  ['{"type":"pong","current_load":4294967295}', '{"type":"pong","current_load":4294967296}'],
  ['{"type":"pong","current_load":0}', '{"type":"pong","current_load":-0}'],
  ['{"type":"pong","current_load":10}', '{"type":"pong","current_load":1e1}'],
  ['{"type":"pong","current_load":1,"x":1,"x":2}', '{"type":"pong","current_load":1,"current_load":1}'],
  [
    '{"type":"pong","current_load":1,"timestamp_unix_ms":18446744073709551615}',
    '{"type":"pong","current_load":1,"timestamp_unix_ms":18446744073709551616}',
  ],
  [
    '{"type":"response_complete","request_id":"r","status_code":65535,"body":null,"token_counts":{}}',
    '{"type":"response_complete","request_id":"r","status_code":65536}',
  ],
  [
    '{"type":"response_complete","request_id":"r","status_code":1,"headers":{"a":"1","a":"2"}}',
    '{"type":"response_complete","request_id":"r","status_code":1,"headers":{"a":1}}',
  ],
  [
    '{"type":"response_complete","request_id":"r","status_code":1,"token_counts":null}',
    '{"type":"response_complete","request_id":"r","status_code":1,"token_counts":{"total_tokens":-1}}',
  ],
  ['{"type":"error","code":"c","message":"m"}', '{"type":"error","message":"m"}'],
  [
    '{"type":"models_update","models":[],"current_load":0}',
    '{"type":"models_update","models":null,"current_load":0}',
  ],
];
const SERVER_PAIRS: [taken: string, refused: string][] = [
  ['{"type":"ping","timestamp_unix_ms":null}', '{"type":"ping","timestamp_unix_ms":"1"}'],
  ['{"type":"register_ack","worker_id":"w","models":[]}', '{"type":"register_ack","worker_id":"w"}'],
  [
    '{"type":"register_ack","worker_id":"w","models":[],"warnings":[]}',
    '{"type":"register_ack","worker_id":"w","models":[],"warnings":null}',
  ],
  [
    '{"type":"graceful_shutdown","drain_timeout_secs":3}',
    '{"type":"graceful_shutdown","drain_timeout_secs":3.5}',
  ],
  [
    '{"type":"cancel","request_id":"r","reason":{"other":""}}',
    '{"type":"cancel","request_id":"r","reason":{"other":"","x":1}}',
  ],
  [
    '{"type":"request","request_id":"r","model":"","endpoint_path":"","is_streaming":false,"body":""}',
    '{"type":"request","request_id":"r","model":null,"endpoint_path":"","is_streaming":false,"body":""}',
  ],
];

test("a message is taken exactly as serde takes it", () => {
  for (const [taken, refused] of WORKER_PAIRS) {
    assert.doesNotThrow(() => readFromWorker(taken), taken);
    assert.throws(() => readFromWorker(refused), SyntaxError, refused);
  }
  for (const [taken, refused] of SERVER_PAIRS) {
    assert.doesNotThrow(() => readFromServer(taken), taken);
    assert.throws(() => readFromServer(refused), SyntaxError, refused);
  }
  // What only Signalbox sends, and each side's messages at the other.
  for (const type of ["drain", "load", "ping", "register_ack"]) {
    assert.throws(
      () => readFromWorker(`{"type":"${type}","current_load":0,"worker_id":"w","models":[]}`),
      SyntaxError,
    );
  }
  for (const type of ["drain", "pong", "error", "register"]) {
    assert.throws(
      () => readFromServer(`{"type":"${type}","current_load":0,"code":"","message":""}`),
      SyntaxError,
    );
  }
});
