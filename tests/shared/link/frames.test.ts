import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { LinkProtocolError } from "../../../shared/link/events.ts";
import { FrameWriter } from "../../../shared/link/frame_writer.ts";
import { FLAG, FRAME, type FrameView, readFrame } from "../../../shared/link/frames.ts";
import { MAX_DATA_BYTES, MESSAGE_TARGET_BYTES } from "../../../shared/link/limits.ts";
import { frame, GET, KIB, pattern } from "./framed_ends.ts";

function framesIn(message: Uint8Array): FrameView[] {
  const frames: FrameView[] = [];
  for (let offset = 0; offset < message.length; offset = frames.at(-1)!.end) {
    const view = { type: 0, flags: 0, exchange: 0, start: 0, end: 0 };
    readFrame(message, offset, view);
    frames.push(view);
  }
  return frames;
}

test("the writer's bytes are those of the layout", () => {
  const writer = new FrameWriter();
  writer.bare(FRAME.STARTED, 0x01020304);
  writer.credit(0xffffffff, 0xfffffffe);
  writer.data(2, Uint8Array.of(1, 2), FLAG.TEXT);
  writer.reset(3, 4, Buffer.from("x"));
  writer.response(5, { status: 404, headers: [["a", "b"]] });
  const expected = [
    frame(FRAME.STARTED, 0x01020304),
    frame(FRAME.CREDIT, 0xffffffff, [255, 255, 255, 254]),
    frame(FRAME.DATA, 2, [1, 2], FLAG.TEXT),
    frame(FRAME.RESET, 3, [4, 0x78]),
    frame(FRAME.RESPONSE, 5, [1, 148, 0x61, 10, 0x62]),
  ];
  assert.equal(Buffer.from(writer.take()!).toString("hex"), Buffer.concat(expected).toString("hex"));
  assert.equal(writer.take(), undefined);
});

for (const length of [0, 1, 9, 10, 255, 256, 16 * KIB - 1, 16 * KIB, MAX_DATA_BYTES - 1, MAX_DATA_BYTES]) {
  test(`${length} bytes of DATA are read as written`, () => {
    const writer = new FrameWriter();
    writer.data(7, pattern(length), FLAG.TEXT);
    const message = writer.take()!;
    const [view, ...more] = framesIn(message);
    assert.deepEqual(more, []);
    assert.deepEqual(view, { type: FRAME.DATA, flags: FLAG.TEXT, exchange: 7, start: 10, end: 10 + length });
    assert.equal(Buffer.compare(message.subarray(10), pattern(length)), 0);
  });
}

test("DATA of one body joins the frame before it, up to the longest that there is", () => {
  const writer = new FrameWriter();
  writer.data(1, pattern(100), 0);
  writer.data(1, pattern(200), 0);
  writer.data(2, pattern(1), 0);
  writer.data(1, pattern(1), 0);
  writer.bare(FRAME.END, 1);
  writer.data(1, pattern(MAX_DATA_BYTES - 1), 0);
  writer.data(1, pattern(1), 0);
  writer.data(1, pattern(1), 0);
  const messages = [writer.take()!, writer.take()!];
  const found = messages.flatMap(framesIn).map(({ exchange, start, end }) => [exchange, end - start]);
  assert.deepEqual(found, [
    [1, 300],
    [2, 1],
    [1, 1],
    [1, 0],
    [1, MAX_DATA_BYTES],
    [1, 1],
  ]);
});

test("DATA does not join across messages", () => {
  const writer = new FrameWriter();
  writer.data(1, pattern(5), 0);
  const first = writer.take()!.slice();
  writer.data(1, pattern(6), 0);
  assert.deepEqual([framesIn(first).length, framesIn(writer.take()!).length], [1, 1]);
  assert.equal(first.length, 15);
});

test("a gigabyte passes through one slab: a message is valid until the next frame is written", () => {
  const writer = new FrameWriter();
  const slabs = new Set<unknown>();
  for (let round = 0; round < 300; round++) {
    writer.data(1, pattern(MAX_DATA_BYTES, round), 0);
    writer.bare(FRAME.END, 1);
    for (let message = writer.take(); message; message = writer.take()) slabs.add(message.buffer);
  }
  assert.equal(slabs.size, 1);
});

test("messages that wait stay as they were written, whatever is written behind them", () => {
  const writer = new FrameWriter();
  const body = (round: number) => pattern(MAX_DATA_BYTES, round);
  for (let round = 0; round < 20; round++) writer.data(round, body(round), FLAG.TEXT);
  for (let round = 0; round < 20; round++) {
    assert.equal(Buffer.compare(writer.take()!.subarray(10), body(round)), 0);
    if (round < 19) continue;
    assert.equal(writer.take(), undefined);
  }
});

test("a message that reached its target is complete: more frames make another, and no room is left for bodies", () => {
  const writer = new FrameWriter();
  assert.equal(writer.room, MESSAGE_TARGET_BYTES);
  writer.data(1, pattern(MESSAGE_TARGET_BYTES - 10), 0);
  assert.equal(writer.room, 0);
  writer.bare(FRAME.END, 1);
  assert.equal(writer.room, 0);
  assert.equal(writer.waitingBytes, MESSAGE_TARGET_BYTES + 10);
  assert.equal(writer.take()!.length, MESSAGE_TARGET_BYTES);
  assert.equal(writer.room, MESSAGE_TARGET_BYTES - 10);
  assert.equal(writer.take()!.length, 10);
  assert.equal(writer.waitingBytes, 0);
});

test("a head that cannot be written leaves the message as it was", () => {
  const writer = new FrameWriter();
  writer.bare(FRAME.END, 1);
  const bad: [string, string][] = [["a", "b\nc"]];
  assert.throws(() => writer.request(2, { ...GET, headers: bad }, 0), TypeError);
  assert.throws(() => writer.response(2, { status: 200, headers: bad }), TypeError);
  writer.bare(FRAME.END, 3);
  const found = framesIn(writer.take()!).map(({ type, exchange }) => [type, exchange]);
  assert.deepEqual(found, [
    [FRAME.END, 1],
    [FRAME.END, 3],
  ]);
});

test("a frame is read only where all of it is", () => {
  const whole = frame(FRAME.CREDIT, 1, [0, 0, 0, 1]);
  for (let length = 0; length < whole.length; length++) {
    const view = { type: 0, flags: 0, exchange: 0, start: 0, end: 0 };
    assert.throws(() => readFrame(whole.subarray(0, length), 0, view), LinkProtocolError);
  }
});
