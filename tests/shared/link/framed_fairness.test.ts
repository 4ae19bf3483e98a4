import assert from "node:assert/strict";
import { test } from "node:test";
import {
  FRAME_HEADER_BYTES,
  MAX_EXCHANGES,
  MESSAGE_TARGET_BYTES,
  TURN_BYTES,
  WINDOW_FLOOR_BYTES,
  WINDOW_POOL_BYTES,
} from "../../../shared/link/limits.ts";
import { FramedPair, GET, KIB, MIB, OK, pattern } from "./framed_ends.ts";

const TOKEN = pattern(170);
const PIECE = pattern(64 * KIB);
const STREAMS = 50;

/** A socket that takes so much per tick; a message that has begun is taken whole. */
function takeFor(pair: FramedPair, bytesPerTick: number): number {
  let taken = 0;
  while (taken < bytesPerTick) {
    const message = pair.worker.connection.next();
    if (message === undefined) break;
    taken += message.length;
    pair.relay.connection.receive(message);
  }
  for (const message of pair.relay.messages()) pair.worker.connection.receive(message);
  return taken;
}

interface Gaps {
  worstTicks: number;
  bulkBytes: number;
  takenBytes: number;
}

/** Every stream says a token each tick, and the bulk body takes all that is left of the socket. */
function tokensBesideBulk(bytesPerTick: number, ticks: number): Gaps {
  let tick = 0;
  let worstTicks = 0;
  const lastTick = new Map<number, number>();
  let bulkBytes = 0;
  const pair: FramedPair = new FramedPair({
    forget: true,
    atWorker: (event) => {
      if (event.type === "writable") writeBulk();
    },
    atRelay: (event) => {
      if (event.type !== "data") return;
      pair.relay.connection.consumed(event.exchange, event.bytes.length);
      if (event.exchange === bulk) {
        bulkBytes += event.bytes.length;
        return;
      }
      worstTicks = Math.max(worstTicks, tick - (lastTick.get(event.exchange) ?? 0));
      lastTick.set(event.exchange, tick);
    },
  });
  const bulk = pair.answering();
  const writeBulk = () => {
    while (pair.worker.connection.sendData(bulk, PIECE));
  };
  const streams = Array.from({ length: STREAMS }, () => pair.answering());
  let takenBytes = 0;
  for (tick = 1; tick <= ticks; tick++) {
    // The bulk body first: the worst that can happen to the others.
    if (tick === 1) writeBulk();
    for (const stream of streams) pair.worker.connection.sendData(stream, TOKEN);
    takenBytes += takeFor(pair, bytesPerTick);
  }
  assert.equal(lastTick.size, STREAMS);
  return { worstTicks, bulkBytes, takenBytes };
}

for (const [kib, gap] of [
  [64, 2],
  [128, 1],
  [256, 1],
  [1024, 1],
] as const) {
  test(`tokens of ${STREAMS} streams come within ${gap} ticks beside a bulk body, at ${kib} KiB per tick`, () => {
    const { worstTicks, bulkBytes, takenBytes } = tokensBesideBulk(kib * KIB, 200);
    assert.equal(worstTicks, gap, "alone it is 1; a message of the bulk body may go before theirs");
    assert.ok(bulkBytes > 0.8 * takenBytes, `the bulk body gets the rest: ${bulkBytes} of ${takenBytes}`);
    assert.ok(takenBytes > 0.9 * 200 * kib * KIB, "the socket is busy");
  });
}

test("while several have something to send, each gets a turn's bytes, however small its pieces", () => {
  const pair = new FramedPair();
  const large = pair.answering();
  const small = pair.answering();
  pair.worker.connection.sendData(large, pattern(256 * KIB));
  for (let sent = 0; sent < 60 * KIB; sent += TOKEN.length) pair.worker.connection.sendData(small, TOKEN);
  pair.relay.connection.receive(pair.worker.connection.next()!);
  assert.equal(pair.relay.body(small).length, 0, "the message was full");
  pair.relay.connection.receive(pair.worker.connection.next()!);
  // Four frames: three whole turns, and what four headers leave of the last.
  assert.equal(pair.relay.body(large).length, MESSAGE_TARGET_BYTES + 2 * TURN_BYTES);
  assert.equal(pair.relay.body(small).length, 2 * TURN_BYTES - 4 * FRAME_HEADER_BYTES);
});

test("a stalled reader stalls itself and nobody else", () => {
  const pair = new FramedPair();
  const stalled = pair.answering();
  pair.worker.connection.sendData(stalled, pattern(MIB));
  pair.carry();
  const other = pair.answering();
  for (let round = 0; round < 100; round++) {
    pair.worker.connection.sendData(other, PIECE);
    pair.carry();
    pair.relay.connection.consumed(other, PIECE.length);
    pair.carry();
  }
  assert.equal(pair.relay.body(other).length, 100 * PIECE.length);
  assert.equal(pair.relay.body(stalled).length, 256 * KIB);
});

test(`${MAX_EXCHANGES} stalled readers: what is kept stays within the limits, and each that reads gets on`, () => {
  const pair = new FramedPair();
  const { relay, worker } = pair;
  const exchanges = Array.from({ length: MAX_EXCHANGES }, () => relay.connection.openExchange(GET));
  pair.carry();
  const body = pattern(WINDOW_FLOOR_BYTES + 1);
  for (const exchange of exchanges) {
    worker.connection.sendResponse(exchange, OK);
    worker.connection.sendData(exchange, exchange <= 200 ? pattern(300 * KIB) : body);
  }
  pair.carry();
  const kept = exchanges.map((exchange) => relay.body(exchange).length);
  assert.ok(Math.min(...kept) >= WINDOW_FLOOR_BYTES);
  const total = kept.reduce((sum, bytes) => sum + bytes, 0);
  assert.ok(total <= WINDOW_POOL_BYTES + MAX_EXCHANGES * WINDOW_FLOOR_BYTES, `${total}`);
  assert.ok(total > 64 * MIB, `${total}: it was near the limits`);

  const last = exchanges.at(-1)!;
  for (let round = 0; round < 20; round++) {
    const before = relay.body(last).length;
    worker.connection.sendData(last, body);
    pair.carry();
    relay.connection.consumed(last, before === 0 ? 0 : WINDOW_FLOOR_BYTES);
    pair.carry();
  }
  assert.ok(relay.body(last).length >= 19 * WINDOW_FLOOR_BYTES);
});
