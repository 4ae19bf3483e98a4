import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { readIntent, wantsPeek } from "../../../server/intent.ts";
import { JsonScanner } from "../../../server/json_scanner.ts";

/** How often bytes of a body are gone over while `read` runs: by the scanner, and by `JSON.parse`. */
function walksDuring(read: () => void): { scans: number; parsed: number } {
  const { object } = JsonScanner.prototype;
  const { parse } = JSON;
  const walks = { scans: 0, parsed: 0 };
  JsonScanner.prototype.object = function (...visit) {
    walks.scans++;
    return object.apply(this, visit);
  };
  JSON.parse = (text, ...rest) => {
    walks.parsed += text.length;
    return parse(text, ...rest);
  };
  try {
    read();
  } finally {
    JsonScanner.prototype.object = object;
    JSON.parse = parse;
  }
  return walks;
}

const facts = (body: string, type: string) => ({
  method: "POST",
  target: "/v1/chat/completions",
  headers: new Headers({ "content-type": type, "content-length": String(body.length) }),
  peeked: Buffer.from(body),
  whole: true,
});

test("a megabyte of JSON is gone over once for all that routing and re-sending want of it", () => {
  const messages = JSON.stringify(
    Array.from({ length: 10_000 }, (_, at) => ({ role: "user", content: "x".repeat(80), at })),
  );
  const wanted =
    '"model":"m","models":["n"],"stream":true,"store":false,"session_id":"s","previous_response_id":"r"';
  const provider = '"provider":{"order":["home"],"require_parameters":true},"tools":[1],"temperature":0.5';
  const body = `{"messages":${messages},${wanted},${provider}}`;
  assert.ok(body.length > 1_000_000);
  const walks = walksDuring(() => {
    const { request, stores } = readIntent(facts(body, "application/json"));
    assert.deepEqual([request.model, request.parameters, stores], ["m", ["tools", "temperature"], false]);
  });
  assert.equal(walks.scans, 1);
  assert.ok(walks.parsed < wanted.length + provider.length, "only the wanted values were parsed");
});

test("a body that is no JSON is not gone over", () => {
  for (const type of ["application/octet-stream", "text/plain", "audio/wav"]) {
    assert.equal(wantsPeek(new Headers({ "content-type": type })), false, type);
    const walks = walksDuring(() => {
      assert.equal(readIntent(facts('{"model":"m"}', type)).request.model, undefined);
    });
    assert.deepEqual(walks, { scans: 0, parsed: 0 }, type);
  }
});
