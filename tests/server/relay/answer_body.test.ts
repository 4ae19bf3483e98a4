import assert from "node:assert/strict";
import { test } from "node:test";
import { AnswerBody, type BodyOutcome } from "../../../server/relay/answer_body.ts";
import type { BodySink } from "../../../shared/runtime/ports.ts";
import type { Sweeper } from "../../../shared/sweeper.ts";
import { FakeClock } from "../../support/fake_clock.ts";

const KIB = 1024;

/** A client whose kernel takes `room` bytes; a write that goes beyond is kept, and the last before a drain. */
class Client implements BodySink {
  readonly received: number[] = [];
  ended = false;
  room = 0;

  write(bytes: Uint8Array): boolean {
    for (const byte of bytes) this.received.push(byte);
    this.room -= bytes.length;
    return this.room > 0;
  }
  flush(): void {}
  end(): void {
    this.ended = true;
  }
  abort(): void {}
}

/** An answer, and what it says to the link and to its owner. */
function answer(client: Client) {
  const said = { consumed: 0, outcomes: [] as BodyOutcome["kind"][] };
  const body = new AnswerBody(
    {
      exchange: {
        consumed: (bytes: number) => (said.consumed += bytes),
        reset() {},
        write: () => true,
        end() {},
      },
      lessons: { data() {}, end() {} },
      change: undefined,
      clock: new FakeClock(),
      sweeper: { watch() {}, release() {} } as unknown as Sweeper,
      responseIdleMs: 1000,
      slowReaderMs: 1000,
      over: ({ kind }) => said.outcomes.push(kind),
    },
    [],
  );
  body.start(client);
  const takes = (room: number) => {
    client.room = room;
    body.drain();
  };
  return { body, said, takes };
}

/** A message of the link, whose bytes are another's when the call is over. */
function comes(body: AnswerBody, value: number): void {
  const bytes = new Uint8Array(64 * KIB).fill(value);
  body.data(bytes);
  body.settled();
  bytes.fill(0);
}

const sent = (count: number) =>
  Array.from({ length: count * 64 * KIB }, (_, at) => 1 + Math.floor(at / (64 * KIB)));

test("while the client is behind, credit is given for what it has taken, piece by piece", () => {
  const client = new Client();
  const { body, said, takes } = answer(client);
  for (let value = 1; value <= 8; value++) comes(body, value);
  // One is with the client's kernel, and not yet taken; seven wait here.
  assert.deepEqual([client.received.length, said.consumed], [64 * KIB, 0]);
  takes(100 * KIB);
  assert.deepEqual([client.received.length, said.consumed], [3 * 64 * KIB, 64 * KIB]);
  takes(1000 * KIB);
  assert.equal(said.consumed, 8 * 64 * KIB);
  assert.deepEqual(client.received, sent(8));
});

test("what is left of a complete answer leaves at the client's pace, and its slot is free", () => {
  const client = new Client();
  const { body, said, takes } = answer(client);
  for (let value = 1; value <= 4; value++) comes(body, value);
  body.end();
  assert.deepEqual([said.outcomes, client.ended], [["complete"], false]);
  for (let n = 0; n < 3; n++) takes(1);
  assert.equal(client.ended, true);
  assert.deepEqual(client.received, sent(4));
  assert.deepEqual(said.outcomes, ["complete"]);
});

test("a client that leaves before it has all of a complete answer changes nothing", () => {
  const client = new Client();
  const { body, said } = answer(client);
  for (let value = 1; value <= 4; value++) comes(body, value);
  body.end();
  body.cancel();
  assert.deepEqual(said.outcomes, ["complete"]);
});
