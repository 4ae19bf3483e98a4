import assert from "node:assert/strict";
import { test } from "node:test";
import { RESET_CODES } from "../../../shared/link/events.ts";
import { FRAME } from "../../../shared/link/frames.ts";
import {
  MAX_CREDIT_BYTES,
  MAX_DATA_BYTES,
  MAX_HEAD_BYTES,
  MAX_HEAD_FIELDS,
  MAX_MESSAGE_BYTES,
  MAX_RESET_TEXT_BYTES,
  REQUEST_WINDOW_BYTES,
} from "../../../shared/link/limits.ts";
import { FramedEnd, frame, HEAD, KIB, refuses, requestFrame, u32, workerAfter } from "./framed_ends.ts";

/** A relay that has opened one exchange. */
function relayWithOne(): FramedEnd {
  const end = new FramedEnd("relay");
  end.connection.openExchange(HEAD);
  return end;
}

test("ids grow: one that came, or that is below one that came, is a protocol error", () => {
  const over = [requestFrame(5), frame(FRAME.RESET, 5, [0])];
  for (const id of [5, 4, 1, 0]) {
    refuses(workerAfter(requestFrame(5)), requestFrame(id), /A REQUEST came for exchange \d: the last was 5/);
    refuses(workerAfter(...over), requestFrame(id), /A REQUEST came for exchange \d: the last was 5/);
  }
  workerAfter(...over).connection.receive(requestFrame(6));
  workerAfter(...over).connection.receive(requestFrame(2 ** 32 - 1));
});

test("a byte more than the credit is a protocol error, at both ends", () => {
  const worker = workerAfter(requestFrame(1));
  worker.connection.receive(frame(FRAME.DATA, 1, new Uint8Array(REQUEST_WINDOW_BYTES)));
  refuses(worker, frame(FRAME.DATA, 1, [0]), /Exchange 1 sent 1 bytes more than its credit/);

  const relay = relayWithOne();
  relay.connection.receive(frame(FRAME.RESPONSE, 1, [0, 200]));
  for (let sent = 0; sent < 256 * KIB; sent += MAX_DATA_BYTES) {
    relay.connection.receive(frame(FRAME.DATA, 1, new Uint8Array(MAX_DATA_BYTES)));
  }
  refuses(relay, frame(FRAME.DATA, 1, [0]), /Exchange 1 sent 1 bytes more than its credit/);
});

test("a frame for an exchange that is not open is dropped and counted, a RESET is acknowledged", () => {
  const worker = workerAfter();
  for (const type of [FRAME.DATA, FRAME.END]) worker.connection.receive(frame(type, 7));
  worker.connection.receive(frame(FRAME.CREDIT, 7, [0, 0, 0, 1]));
  worker.connection.receive(frame(FRAME.RESET, 7, [0]));
  assert.deepEqual(worker.messages(), [frame(FRAME.RESET_ACK, 7)]);
  const relay = new FramedEnd("relay");
  for (const type of [FRAME.STARTED, FRAME.DATA, FRAME.END]) relay.connection.receive(frame(type, 7));
  relay.connection.receive(frame(FRAME.RESPONSE, 7, [0, 200]));
  for (const type of [FRAME.RESET, FRAME.RESET_ACK]) {
    relay.connection.receive(frame(type, 7, type === FRAME.RESET ? [0] : []));
  }
  assert.deepEqual([...worker.events, ...relay.events], []);
  assert.deepEqual([worker.connection.dropped, relay.connection.dropped], [2, 4]);
});

test("which end may send a frame is fixed; other types are a protocol error", () => {
  for (let type = 0; type < 256; type++) {
    const fromWorker = type >= FRAME.RESPONSE && type <= FRAME.CREDIT;
    const fromRelay = (
      [FRAME.REQUEST, FRAME.DATA, FRAME.END, FRAME.RESET, FRAME.CREDIT] as number[]
    ).includes(type);
    if (!fromWorker) refuses(relayWithOne(), frame(type, 1), /A frame of type \d+ came, which/);
    if (!fromRelay) refuses(workerAfter(requestFrame(1)), frame(type, 1), /A frame of type \d+ came, which/);
  }
});

const MALFORMED: { name: string; message: Uint8Array; says: RegExp }[] = [
  { name: "half a header", message: frame(FRAME.END, 1).subarray(0, 9), says: /9 bytes left/ },
  {
    name: "a header without its payload",
    message: requestFrame(2).subarray(0, 15),
    says: /behind the message/,
  },
  {
    name: "a length of 4 GiB",
    message: Uint8Array.from([FRAME.DATA, 0, 0, 0, 0, 1, 255, 255, 255, 255, 1]),
    says: /ends 4294967294 bytes behind/,
  },
  {
    name: "DATA of 64 KiB and 1",
    message: frame(FRAME.DATA, 1, new Uint8Array(65537)),
    says: /DATA frame is too long/,
  },
  { name: "CREDIT of 3 bytes", message: frame(FRAME.CREDIT, 1, [0, 0, 1]), says: /CREDIT frame has 3 bytes/ },
  { name: "END with a byte", message: frame(FRAME.END, 1, [1]), says: /END frame has 1 bytes/ },
  { name: "RESET without a code", message: frame(FRAME.RESET, 1), says: /its code is missing/ },
  {
    name: "RESET with a long text",
    message: frame(FRAME.RESET, 1, new Uint8Array(MAX_RESET_TEXT_BYTES + 2)),
    says: /RESET frame is too long/,
  },
  {
    name: "REQUEST without a window",
    message: frame(FRAME.REQUEST, 2, [0, 0, 0]),
    says: /its window is missing/,
  },
  {
    name: "REQUEST with a window of 2 GiB",
    message: requestFrame(2, "POST\n/", 2 ** 31),
    says: /window is too long/,
  },
  { name: "REQUEST without a head", message: requestFrame(2, ""), says: /a method and a path/ },
  { name: "REQUEST without a method", message: requestFrame(2, "\n/"), says: /a method and a path/ },
  { name: "REQUEST to a full URL", message: requestFrame(2, "GET\nhttp://x/"), says: /a method and a path/ },
  { name: "a name without a value", message: requestFrame(2, "GET\n/\nname"), says: /a name has no value/ },
  {
    name: "more fields than may be",
    message: requestFrame(2, `GET\n/${"\n\n".repeat(MAX_HEAD_FIELDS + 1)}`),
    says: /a head of 501 fields/,
  },
  {
    name: "a head that is too long",
    message: requestFrame(2, `GET\n/${"x".repeat(MAX_HEAD_BYTES - 4)}`),
    says: /a head of 65537 bytes/,
  },
  {
    name: "a message of 1 MiB and 1",
    message: new Uint8Array(MAX_MESSAGE_BYTES + 1),
    says: /message is too long/,
  },
];

for (const { name, message, says } of MALFORMED) {
  test(`the worker refuses ${name}`, () => refuses(workerAfter(requestFrame(1)), message, says));
}

test("the relay refuses malformed RESPONSE, STARTED and RESET_ACK", () => {
  refuses(relayWithOne(), frame(FRAME.RESPONSE, 1, [200]), /its status is missing/);
  refuses(relayWithOne(), frame(FRAME.RESPONSE, 1, [0, 200, 0x61]), /a name has no value/);
  refuses(relayWithOne(), frame(FRAME.STARTED, 1, [1]), /STARTED frame has 1 bytes/);
  refuses(relayWithOne(), frame(FRAME.RESET_ACK, 1, [1]), /RESET_ACK frame has 1 bytes/);
});

test("an exchange cannot be granted 2 GiB", () => {
  const worker = workerAfter(requestFrame(1, "POST\n/", 1));
  worker.connection.receive(frame(FRAME.CREDIT, 1, u32(MAX_CREDIT_BYTES - 1)));
  refuses(worker, frame(FRAME.CREDIT, 1, u32(1)), /Exchange 1 was granted 2147483648 bytes/);
  refuses(workerAfter(requestFrame(1)), frame(FRAME.CREDIT, 1, u32(2 ** 32 - 1)), /was granted/);
});

test("messages of the plain form have no place on a framed link, nor has text that is too long", () => {
  const cancel = JSON.stringify({ type: "cancel", request_id: "x", reason: "timeout" });
  refuses(workerAfter(), cancel, /A "cancel" message came on a framed link/);
  const chunk = JSON.stringify({ type: "response_chunk", request_id: "x", chunk: "" });
  refuses(relayWithOne(), chunk, /A "response_chunk" message came on a framed link/);
  refuses(relayWithOne(), " ".repeat(MAX_MESSAGE_BYTES + 1), /message is too long/);
  refuses(relayWithOne(), "{", /must be JSON/);
});

test("a RESET code of a later version is read as cancelled, text that is no UTF-8 with U+FFFD", () => {
  const relay = relayWithOne();
  relay.connection.receive(frame(FRAME.RESET, 1, [RESET_CODES.length, 0x61, 0xff]));
  assert.deepEqual(relay.events, [{ type: "reset", exchange: 1, code: "cancelled", text: "a\ufffd" }]);
});

test("empty DATA is no event", () => {
  const worker = workerAfter(requestFrame(1), frame(FRAME.DATA, 1));
  assert.deepEqual(worker.types(), ["request"]);
});
