import assert from "node:assert/strict";
import { test } from "node:test";
import { Meter } from "../../../worker/status/meter.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** Count a text that comes in pieces of a size. */
function tokensIn(text: string, type: string, size: number): number {
  const meter = new Meter();
  const request = meter.open();
  request.head([["Content-Type", type]]);
  const all = bytes(text);
  for (let at = 0; at < all.length; at += size) request.data(all.subarray(at, at + size));
  request.close();
  assert.deepEqual([meter.running, meter.finished], [0, 1]);
  return meter.tokens;
}

const EVENTS = 'data: {"a":1}\n\ndata: {"b":2}\ndata: more\n\nevent: x\r\ndata: 3\r\n\r\n';

for (const size of [1, 2, 7, 1000]) {
  test(`pieces of ${size} bytes: each event counts once, each line of JSON too`, () => {
    assert.equal(tokensIn(EVENTS, "text/event-stream; charset=utf-8", size), 3);
    assert.equal(tokensIn('{"a":1}\n{"b":2}\n', "application/x-ndjson", size), 2);
  });
}

test("an answer that is no stream has no tokens to count", () => {
  assert.equal(tokensIn("\n\n\n", "application/json", 1), 0);
});
