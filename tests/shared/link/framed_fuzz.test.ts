import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { LinkProtocolError } from "../../../shared/link/events.ts";
import { FLAG, FRAME } from "../../../shared/link/frames.ts";
import { FramedEnd, frame, GET, HEAD, OK, requestFrame, u32 } from "./framed_ends.ts";

/** Any message gives events or one LinkProtocolError, and nothing of it reaches beyond the message. */
const MESSAGES = 60_000;
const SEED = 20_240_613;

/** The same numbers on every run and runtime (mulberry32). */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % sides;
  };
}

type Dice = ReturnType<typeof dice>;

const randomBytes = (roll: Dice, length: number) => Uint8Array.from({ length }, () => roll(256));

type Role = "relay" | "worker";

/** What an end gets: what the other one sends, as it should be or nearly; the likelier ones more than once. */
const FRAMES: Record<Role, ((exchange: number, roll: Dice) => Uint8Array)[]> = {
  relay: [
    (exchange) => frame(FRAME.STARTED, exchange),
    (exchange, roll) => frame(FRAME.RESPONSE, exchange, [roll(3), roll(256), ...Buffer.from("a\nb")]),
    (exchange) => frame(FRAME.RESET_ACK, exchange),
  ],
  worker: [
    (_, roll) => requestFrame(2 + roll(1000), "GET\n/x?y\nhost\nz", roll(50) === 0 ? roll(2 ** 32) : 1000),
    (_, roll) =>
      requestFrame(2 + roll(1000), `GET\n/${Buffer.from(randomBytes(roll, 12)).toString("latin1")}`),
  ],
};
const FROM_BOTH: (typeof FRAMES)["relay"] = [
  (exchange, roll) => frame(FRAME.CREDIT, exchange, u32(roll(50) === 0 ? roll(2 ** 32) : roll(1000))),
  (exchange, roll) => frame(FRAME.RESET, exchange, [roll(20), ...randomBytes(roll, roll(6))]),
  (exchange) => frame(FRAME.END, exchange),
  ...Array(4).fill((exchange: number, roll: Dice) =>
    frame(FRAME.DATA, exchange, randomBytes(roll, roll(40)), roll(2) * FLAG.TEXT),
  ),
];

function someFrame(role: Role, roll: Dice): Uint8Array {
  if (roll(40) === 0) return frame(roll(256), roll(6), randomBytes(roll, roll(6)), roll(256));
  const kinds = [...FRAMES[role], ...FROM_BOTH];
  return kinds[roll(kinds.length)]!(roll(6), roll);
}

/** Several frames; a byte may be wrong, the end may be missing. */
function someMessage(role: Role, roll: Dice): Uint8Array {
  if (roll(40) === 0) return randomBytes(roll, roll(60));
  const message = Buffer.concat(Array.from({ length: 1 + roll(4) }, () => someFrame(role, roll)));
  if (roll(8) === 0) message[roll(message.length)] = roll(256);
  return roll(20) === 0 ? message.subarray(0, roll(message.length + 1)) : message;
}

const TEXTS = [
  '{"type":"ping"}',
  '{"type":"pong","current_load":1}',
  '{"type":"load","current_load":2}',
  '{"type":"drain"}',
  '{"type":"models_update","models":["a"],"current_load":0}',
  '{"type":"request","request_id":"x","model":"","endpoint_path":"/","is_streaming":false,"body":""}',
  '{"type":"error","code":"x","message":"y"}',
];

function someText(roll: Dice): string {
  const text = TEXTS[roll(TEXTS.length)]!;
  const at = roll(text.length);
  return roll(2) === 0
    ? text
    : text.slice(0, at) + String.fromCharCode(roll(65536)) + text.slice(at + roll(3));
}

/** Around every message stand bytes that belong to nobody. */
const CANARY = 0xc5;

function within(message: Uint8Array): Uint8Array {
  const around = new Uint8Array(message.length + 64).fill(CANARY);
  around.set(message, 32);
  return around.subarray(32, 32 + message.length);
}

const answer = (exchange: number) => frame(FRAME.RESPONSE, exchange, [0, 200]);

/** An end in the middle of some work. */
function busyEnd(role: Role, seen: (bytes: Uint8Array) => void): FramedEnd {
  const end = new FramedEnd(role, (event) => {
    if (event.type === "data") seen(event.bytes);
  });
  if (role === "relay") {
    for (const head of [HEAD, GET, HEAD]) end.connection.receive(answer(end.connection.openExchange(head)));
  }
  if (role === "worker")
    end.connection.receive(Buffer.concat([requestFrame(1), requestFrame(2, "GET\n/", 5)]));
  return end;
}

/** What the code above does meanwhile. */
function act({ connection }: FramedEnd, role: Role, roll: Dice): void {
  const exchange = 1 + roll(4);
  try {
    if (role === "relay" && roll(4) === 0) connection.openExchange(GET);
    if (role === "worker" && roll(4) === 0) connection.sendResponse(exchange, OK);
    if (roll(3) === 0) connection.sendData(exchange, new Uint8Array(roll(30)));
    if (roll(8) === 0) connection.sendReset(exchange, "cancelled", "");
  } catch (error) {
    // Said at the wrong time: a mistake of ours that is none of the peer's.
    assert.match(`${error}`, /Cannot send (response|data) on exchange/);
  }
  while (connection.next() !== undefined);
}

for (const role of ["relay", "worker"] as const) {
  test(`${MESSAGES} messages, broken and whole, make a ${role} say events or one LinkProtocolError`, () => {
    const roll = dice(SEED + role.length);
    const counts = { events: 0, refused: 0, ends: 0 };
    let message: Uint8Array = new Uint8Array();
    const inside = (bytes: Uint8Array) => {
      const from = bytes.byteOffset - message.byteOffset;
      assert.ok(bytes.buffer === message.buffer && from >= 0 && from + bytes.length <= message.length);
    };
    for (let sent = 0; sent < MESSAGES; counts.ends++) {
      const end = busyEnd(role, inside);
      try {
        for (; sent < MESSAGES; sent++) {
          message = within(someMessage(role, roll));
          end.connection.receive(roll(10) === 0 ? someText(roll) : message);
          act(end, role, roll);
        }
      } catch (error) {
        assert.ok(error instanceof LinkProtocolError, `${error}`);
        assert.ok(error.message.length < 400, "fit for a log line");
        counts.refused++;
        sent++;
      }
      counts.events += end.events.length;
    }
    // Both outcomes were there, in plenty.
    assert.ok(counts.refused > MESSAGES / 10 && counts.events > MESSAGES / 2, JSON.stringify(counts));
  });
}
