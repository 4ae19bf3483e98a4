import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { LinkEvent } from "../../../shared/link/events.ts";
import { MAX_WINDOW_BYTES, REQUEST_WINDOW_BYTES, WINDOW_POOL_BYTES } from "../../../shared/link/limits.ts";
import { type Accepts, FramedPair, HEAD, MIB, OK, pattern } from "./framed_ends.ts";

/** The content of every body: its period is 64 KiB, so that any piece of a body is a slice of this. */
const PERIOD = 65536;
const CONTENT = pattern(MIB + 2 * PERIOD);
const piece = (at: number, length: number) => CONTENT.subarray(at % PERIOD, (at % PERIOD) + length);

type Side = "relay" | "worker";
const OTHER = { relay: "worker", worker: "relay" } as const;

/** One direction of one exchange, as it should be. */
class Half {
  /** Where in the content it begins. */
  readonly start: number;
  sent = 0;
  ended = false;
  /** `sendData` said false and `writable` did not come yet. */
  blocked = false;
  received = 0;
  consumed = 0;
  endReceived = false;

  constructor(exchange: number, side: Side) {
    this.start = exchange * 1009 + (side === "relay" ? 0 : 77);
  }
}

interface Exchange {
  id: number;
  halves: Record<Side, Half>;
  responded: boolean;
  started: boolean;
  /** Who gave it up. */
  reset: Set<Side>;
}

/** What a link should do, beside a link that does it. Checks every event against what was sent. */
export class FramedModel {
  readonly pair: FramedPair;
  readonly exchanges: Exchange[] = [];

  constructor(accepts: Accepts) {
    this.pair = new FramedPair({
      accepts,
      atRelay: (event) => this.#check("relay", event),
      atWorker: (event) => this.#check("worker", event),
    });
  }

  open(hasBody: boolean): void {
    const id = this.pair.relay.connection.openExchange({ ...HEAD, hasBody });
    const halves = { relay: new Half(id, "relay"), worker: new Half(id, "worker") };
    if (!hasBody) halves.relay.ended = halves.relay.endReceived = true;
    this.exchanges.push({ id, halves, responded: false, started: false, reset: new Set() });
  }

  write(exchange: Exchange, side: Side, length: number): void {
    const half = exchange.halves[side];
    if (half.ended || half.blocked || !this.#maySend(exchange, side)) return;
    const room = this.pair[side].connection.sendData(exchange.id, piece(half.start + half.sent, length));
    half.blocked = !room;
    half.sent += length;
  }

  end(exchange: Exchange, side: Side): void {
    const half = exchange.halves[side];
    if (half.ended || !this.#maySend(exchange, side)) return;
    this.pair[side].connection.sendEnd(exchange.id);
    half.ended = true;
  }

  reset(exchange: Exchange, side: Side): void {
    if (side === "worker" && !this.#hasArrived(exchange)) return;
    this.pair[side].connection.sendReset(exchange.id, "cancelled", "");
    exchange.reset.add(side);
  }

  /** `eighths` of what is there. */
  consume(exchange: Exchange, side: Side, eighths: number): void {
    const half = exchange.halves[OTHER[side]];
    const bytes = Math.ceil(((half.received - half.consumed) * eighths) / 8);
    if (exchange.reset.has(side) || half.endReceived) return;
    this.pair[side].connection.consumed(exchange.id, bytes);
    half.consumed += bytes;
  }

  /** What both ends keep for each other is within the limits, whatever stalls. */
  checkMemory(): void {
    for (const side of ["relay", "worker"] as const) {
      const open = this.exchanges.filter((exchange) => exchange.reset.size === 0);
      const kept = open.map(({ halves }) => halves[OTHER[side]].received - halves[OTHER[side]].consumed);
      assert.ok(Math.max(0, ...kept) <= MAX_WINDOW_BYTES);
      const total = kept.reduce((sum, bytes) => sum + bytes, 0);
      assert.ok(total <= WINDOW_POOL_BYTES + open.length * REQUEST_WINDOW_BYTES);
    }
  }

  /** Everybody ends what they send and reads what they get: then nothing may be left. */
  drain(): void {
    do {
      for (const exchange of this.exchanges) {
        for (const side of ["relay", "worker"] as const) {
          this.end(exchange, side);
          this.consume(exchange, side, 8);
        }
      }
    } while (this.pair.step());
    for (const { id, halves, reset } of this.exchanges) {
      if (reset.size > 0) continue;
      for (const { sent, received, endReceived } of [halves.relay, halves.worker]) {
        assert.deepEqual({ id, received, endReceived }, { id, received: sent, endReceived: true });
      }
    }
    const { relay, worker } = this.pair;
    assert.deepEqual([relay.connection.open, worker.connection.open], [0, 0]);
    assert.equal(relay.connection.unacknowledgedResets, 0);
  }

  /** The worker can answer only what has arrived, and says its head first. */
  #maySend(exchange: Exchange, side: Side): boolean {
    if (side === "relay") return true;
    const arrived = this.#hasArrived(exchange);
    if (arrived && !exchange.responded) {
      exchange.responded = true;
      this.pair.worker.connection.sendStarted(exchange.id);
      this.pair.worker.connection.sendResponse(exchange.id, OK);
    }
    return arrived;
  }

  #hasArrived({ id }: Exchange): boolean {
    return this.pair.worker.types(id).length > 0;
  }

  #check(side: Side, event: LinkEvent): void {
    if (event.type === "control" || event.type === "request") return;
    const exchange = this.exchanges[event.exchange - 1]!;
    const half = exchange.halves[OTHER[side]];
    if (event.type === "reset_ack") return assert.ok(exchange.reset.has("relay"));
    assert.equal(exchange.reset.has(side), false, `${event.type} after a reset`);
    if (event.type === "reset") {
      exchange.reset.add(side);
    } else if (event.type === "writable") {
      assert.equal(exchange.halves[side].blocked, true, "room that nobody waits for");
      exchange.halves[side].blocked = false;
    } else if (event.type === "started" || event.type === "response") {
      assert.equal(exchange.started, event.type === "response");
      exchange.started = true;
    } else {
      assert.equal(half.endReceived, false, `${event.type} after the end`);
      if (event.type === "end") half.endReceived = true;
      else this.#arrived(half, event.bytes);
    }
  }

  #arrived(half: Half, bytes: Uint8Array): void {
    const at = half.start + half.received;
    const same = Buffer.compare(bytes, piece(at, bytes.length)) === 0;
    assert.ok(same && bytes.length > 0, `not what was sent at ${half.received}`);
    half.received += bytes.length;
    assert.ok(half.received <= half.sent);
  }
}
