import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DataEvents } from "../../../server/relay/data_events.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

function count(...chunks: Uint8Array[]): number {
  const events = new DataEvents();
  for (const chunk of chunks) events.feed(chunk);
  return events.count;
}

const STREAMS: readonly { name: string; stream: string; events: number }[] = [
  { name: "nothing", stream: "", events: 0 },
  { name: "events", stream: "data: a\n\ndata: b\n\n", events: 2 },
  { name: "lines with CRLF", stream: "data: a\r\n\r\ndata: b\r\n\r\n", events: 2 },
  { name: "both kinds of lines", stream: "data: a\r\n\ndata: b\n\r\n", events: 2 },
  { name: "no space", stream: "data:a\n\n", events: 1 },
  { name: "named events", stream: "event: delta\ndata: a\nid: 1\n\nevent: delta\ndata: b\n\n", events: 2 },
  { name: "several lines of data", stream: "data: {\ndata: }\n\n", events: 1 },
  { name: "comments", stream: ": keep-alive\n\n:\n\n: data: a\n\ndata: b\n\n", events: 1 },
  { name: "a comment within an event", stream: "data: a\n: b\n\n", events: 1 },
  { name: "events without data", stream: "event: ping\n\nretry: 1\n\ndata: a\n\n", events: 1 },
  {
    name: "fields that only look like data",
    stream: "database: a\n\ndata\n\ndat: a\n\n data: a\n\n",
    events: 0,
  },
  { name: "empty lines", stream: "\n\n\r\n\ndata: a\n\n\n\n", events: 1 },
  { name: "a return within data", stream: "data: a\rb\n\n", events: 1 },
  { name: "an event that is not complete", stream: "data: a\n\ndata: b\n", events: 1 },
];

for (const { name, stream, events } of STREAMS) {
  test(`feed() counts the same at every border of chunks: ${name}`, () => {
    const bytes = bytesOf(stream);
    assert.equal(count(bytes), events);
    assert.equal(count(...Array.from(bytes, (byte) => Uint8Array.of(byte))), events);
    for (let at = 0; at <= bytes.length; at++)
      assert.equal(count(bytes.subarray(0, at), bytes.subarray(at)), events, `cut at ${at}`);
  });
}

const line = fc.oneof(
  fc.constantFrom("data: x", "data:", "data: data:", "event: e", ": comment", "id: 1", "d", "\r", "data"),
  fc.string({ unit: fc.constantFrom("d", "a", "t", ":", " ", "ü"), maxLength: 8 }),
);
const lines = fc.array(fc.record({ line, end: fc.constantFrom("\n", "\r\n") }), { maxLength: 30 });

/** Line by line, as the specification says it. */
function naive(stream: string): number {
  let [events, hasData] = [0, false];
  for (const line of stream.split("\n").slice(0, -1)) {
    if (/^\r*$/.test(line)) {
      if (hasData) events++;
      hasData = false;
    } else if (/^\r*data:/.test(line)) hasData = true;
  }
  return events;
}

test("feed() counts what reading line by line counts", () => {
  fc.assert(
    fc.property(lines, fc.array(fc.nat(40), { maxLength: 8 }), (lines, sizes) => {
      const stream = lines.map(({ line, end }) => line + end).join("");
      const bytes = bytesOf(stream);
      const chunks: Uint8Array[] = [];
      let from = 0;
      for (const size of [...sizes, bytes.length]) {
        chunks.push(bytes.subarray(from, from + size));
        from += size;
      }
      assert.equal(count(...chunks), naive(stream));
    }),
  );
});
