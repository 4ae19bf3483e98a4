import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { FrameWriter } from "../../../shared/link/frame_writer.ts";
import { FLAG } from "../../../shared/link/frames.ts";
import { OutgoingBody } from "../../../shared/link/outgoing_body.ts";
import { Turns } from "../../../shared/link/turns.ts";
import { bytes, KIB, MIB, pattern } from "./framed_ends.ts";

/** All that waits in a body, piece by piece. */
function pieces(body: OutgoingBody, limit: number): [string, number][] {
  const found: [string, number][] = [];
  for (let first = body.first(limit); first; first = body.first(limit)) {
    found.push([Buffer.from(first.bytes).toString(), first.flags]);
    body.take(first.bytes.length);
  }
  return found;
}

test("what waits keeps its order; only pieces without flags are put together", () => {
  const body = new OutgoingBody(1, 0);
  for (const [text, flags] of [
    ["a", 0],
    ["b", 0],
    ["c", 1],
    ["d", 1],
    ["e", 0],
  ] as const) {
    body.append(bytes(text), flags);
  }
  assert.equal(body.queuedBytes, 5);
  assert.deepEqual(pieces(body, 10), [
    ["ab", 0],
    ["c", 1],
    ["d", 1],
    ["e", 0],
  ]);
  assert.equal(body.queuedBytes, 0);
});

test("what waits was copied, and is cut at the limit", () => {
  const body = new OutgoingBody(1, 0);
  const given = bytes("abcde");
  body.append(given, 0);
  given.fill(0);
  assert.deepEqual(
    pieces(body, 2).map(([text]) => text),
    ["ab", "cd", "e"],
  );
});

test("bytes added and taken in any order come out as they came in", () => {
  const body = new OutgoingBody(1, 0);
  const whole = pattern(200_000);
  const out: Uint8Array[] = [];
  let added = 0;
  for (let round = 0; added < whole.length; round++) {
    const length = [1, 170, 1023, 1024, 16 * KIB, 20_000][round % 6]!;
    body.append(whole.subarray(added, added + length), 0);
    added += length;
    const first = round % 2 === 0 ? body.first(700 * (round % 5)) : undefined;
    if (!first) continue;
    out.push(first.bytes.slice());
    body.take(first.bytes.length);
  }
  for (let first = body.first(MIB); first; first = body.first(MIB)) {
    out.push(first.bytes.slice());
    body.take(first.bytes.length);
  }
  assert.equal(Buffer.compare(Buffer.concat(out), whole), 0);
});

test("a body that was cleared keeps its place in the ring without harm", () => {
  const writer = new FrameWriter();
  const progressed: number[] = [];
  const turns = new Turns(writer, (body) => progressed.push(body.id));
  const [gone, other] = [new OutgoingBody(1, MIB), new OutgoingBody(2, MIB)];
  turns.send(gone, pattern(70 * KIB), 0);
  turns.send(other, pattern(5), 0);
  gone.clear();
  writer.take();
  turns.fill();
  assert.deepEqual(progressed, [2]);
  assert.equal(writer.take()!.length, 15);
});

test("nobody overtakes those who wait, though the message has room again", () => {
  const writer = new FrameWriter();
  const turns = new Turns(writer, () => {});
  const [bulk, waiting] = [new OutgoingBody(1, 10 * MIB), new OutgoingBody(2, MIB)];
  turns.send(bulk, pattern(64 * KIB), 0);
  turns.send(waiting, pattern(100), FLAG.TEXT);
  writer.take();
  turns.send(bulk, pattern(64 * KIB), 0);
  turns.fill();
  assert.equal(writer.take()![5], waiting.id, "the first frame of the message is of the one who waited");
});

test("without credit bytes wait, and a grant gives them a turn", () => {
  const writer = new FrameWriter();
  const turns = new Turns(writer, () => {});
  const body = new OutgoingBody(1, 3);
  assert.equal(turns.send(body, bytes("abcdef"), 0), true);
  turns.fill();
  assert.equal(writer.take()!.length, 13);
  assert.equal(writer.take(), undefined);
  turns.grant(body, 2);
  turns.fill();
  assert.equal(writer.take()!.length, 12);
  assert.deepEqual([body.credit, body.queuedBytes], [0, 1]);
});
