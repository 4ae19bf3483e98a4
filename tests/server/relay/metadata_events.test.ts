import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { HELD_MAX_BYTES, MetadataEvents, type StreamApi } from "../../../server/relay/metadata_events.ts";
import { bytesOf, changed, chunked, textOf } from "./body_changes.ts";

const MEMBER = '"openrouter_metadata":{"attempt":1}';
const change = (api: StreamApi = "chat") => new MetadataEvents(api, () => MEMBER);
const CHUNK = 'data: {"object":"chat.completion.chunk","choices":[{"delta":{"content":"}\\n"}}]}\n\n';
const LAST = 'data: {"choices":[]}\n\n';
const LAST_CHANGED = `data: {"choices":[],${MEMBER}}\n\n`;
const DONE = "data: [DONE]\n\n";

/** Blocks of an event stream, and what they are with the member in them; undefined: they cannot have it. */
const BLOCKS: readonly (readonly [block: string, changed?: string])[] = [
  ['data: {"a":{"b":"}"}}', `data: {"a":{"b":"}"},${MEMBER}}`],
  ["data:{}", `data:{${MEMBER}}`],
  ['id: 7\ndata: { "a": 1 } \nretry: 3', `id: 7\ndata: { "a": 1 ,${MEMBER}} \nretry: 3`],
  ['data: {"a":\ndata: [1,\n:comment}\ndata:2]}', `data: {"a":\ndata: [1,\n:comment}\ndata:2],${MEMBER}}`],
  ['event: message\ndata: {"é":"\\u0000😀"}', `event: message\ndata: {"é":"\\u0000😀",${MEMBER}}`],
  [": OPENROUTER PROCESSING {}"],
  ["event: ping"],
  ["data: 42"],
  ["data:"],
  [""],
];

describe("the last event of a chat", () => {
  test("is the one before [DONE], or before the end, wherever chunks and lines end", () => {
    const blocks = fc.array(fc.constantFrom(...BLOCKS), { maxLength: 8 });
    const stream = fc.record({
      before: blocks,
      done: fc.boolean(),
      after: blocks,
      lineEnd: fc.constantFrom("\n", "\r\n", "\r"),
    });
    const lengths = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });
    const examined = fc.property(stream, lengths, ({ before, done, after, lineEnd }, pieces) => {
      const all = done ? [...before, ["data: [DONE]"] as const, ...after] : before;
      const last = before.findLastIndex(([, changed]) => changed !== undefined);
      const written = (texts: readonly string[]) =>
        texts.map((text) => `${text}\n${text && "\n"}`.replaceAll("\n", lineEnd)).join("");
      const wanted = written(all.map((block, at) => (at === last ? block[1]! : block[0])));
      assert.equal(changed(change(), chunked(written(all.map(([block]) => block)), pieces)), wanted);
    });
    fc.assert(examined, { numRuns: 1000 });
  });

  test("waits for the next one, and nothing else does", () => {
    const events = change();
    assert.equal(textOf(events.data(bytesOf(": hello\n\n"))), ": hello\n\n");
    assert.equal(textOf(events.data(bytesOf(CHUNK))), "");
    assert.equal(textOf(events.data(bytesOf(CHUNK.slice(0, 9)))), "");
    assert.equal(textOf(events.data(bytesOf(CHUNK.slice(9)))), CHUNK);
    assert.equal(textOf(events.data(bytesOf(LAST + DONE))), CHUNK + LAST_CHANGED + DONE);
    assert.equal(textOf(events.data(bytesOf("data: {"))), "data: {");
    assert.deepEqual(events.end(), []);
  });

  test("may lack the empty line at the end of the stream", () => {
    for (const end of ["\n", ""]) {
      const text = CHUNK + LAST.trimEnd() + end;
      assert.equal(changed(change(), [bytesOf(text)]), CHUNK + LAST_CHANGED.trimEnd() + end);
      const done = CHUNK + LAST + DONE.trimEnd() + end;
      assert.equal(changed(change(), [bytesOf(done)]), CHUNK + LAST_CHANGED + DONE.trimEnd() + end);
    }
  });

  test("passes as it came when the stream breaks off behind it or within it", () => {
    for (const text of [CHUNK, CHUNK + LAST, CHUNK + LAST.slice(0, -1), CHUNK.slice(0, 20), ""]) {
      const events = change();
      const passed = events.data(bytesOf(text));
      assert.equal(textOf([...passed, ...events.cut()]), text);
      assert.deepEqual([events.cut(), events.end()], [[], []]);
    }
  });

  test("passes as it came when it is no JSON object", () => {
    for (const data of ['{"a":1', '{"a":1}{"b":2}', '{"a":"\ndata: "}', "[1]", "{a:1}"]) {
      const text = `data: ${data}\n\n${DONE}`;
      assert.equal(changed(change(), [bytesOf(text)]), text);
    }
  });

  test("passes as it came when more would have to wait than is bearable, and so does the rest", () => {
    const comment = bytesOf(`: ${"-".repeat(HELD_MAX_BYTES / 4)}\n\n`);
    const long = bytesOf(`data: {"a":"${"-".repeat(HELD_MAX_BYTES)}`);
    for (const chunks of [
      [bytesOf(LAST), comment, comment, comment, comment],
      [bytesOf(LAST), long],
    ]) {
      const events = change();
      const passed = chunks.flatMap((chunk) => events.data(chunk));
      assert.equal(textOf(passed), textOf(chunks));
      assert.equal(textOf(events.data(bytesOf(LAST + DONE))), LAST + DONE);
    }
  });
});

describe("the last event of other APIs", () => {
  const streams: { api: StreamApi; before: string; last: string; wanted: string }[] = [
    {
      api: "messages",
      before: 'event: message_start\ndata: {"type":"message_start","message":{}}\n\n',
      last: 'event: message_stop\ndata: {"type":"message_stop"}\n\n',
      wanted: `event: message_stop\ndata: {"type":"message_stop",${MEMBER}}\n\n`,
    },
    {
      api: "messages",
      before: 'data: {"type":"ping"}\n\n',
      last: 'data: {"type":"message_stop"}\n\n',
      wanted: `data: {"type":"message_stop",${MEMBER}}\n\n`,
    },
    {
      api: "responses",
      before: 'event: response.created\ndata: {"type":"response.created","response":{"id":"r"}}\n\n',
      last: 'event: response.completed\ndata: {"response":{"id":"r"},"type":"response.completed"}\n\n',
      wanted: `event: response.completed\ndata: {"response":{"id":"r",${MEMBER}},"type":"response.completed"}\n\n`,
    },
    {
      api: "responses",
      before: ": hello\n\n",
      last: 'data: {"type":"response.incomplete","response":{}}\r\n\r\n',
      wanted: `data: {"type":"response.incomplete","response":{${MEMBER}}}\r\n\r\n`,
    },
  ];

  test("is known by its type, so that no other waits", () => {
    for (const { api, before, last, wanted } of streams) {
      const events = change(api);
      assert.equal(textOf(events.data(bytesOf(before))), before);
      assert.equal(textOf(events.data(bytesOf(last))), wanted);
      assert.equal(textOf(events.data(bytesOf(last))), last);
      assert.deepEqual(events.end(), []);
    }
  });

  test("may be missing, or have no answer in it", () => {
    const texts = [streams[2]!.before, 'data: {"type":"response.completed","response":[]}\n\n', DONE];
    for (const text of texts) assert.equal(changed(change("responses"), [bytesOf(text)]), text);
  });
});
