import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  type LinkConnection,
  type LinkEvent,
  LinkProtocolError,
  type LinkRequestHead,
} from "../../../shared/link/events.ts";
import { FramedConnection } from "../../../shared/link/framed.ts";
import { FRAME } from "../../../shared/link/frames.ts";

export const KIB = 1024;
export const MIB = 1024 * KIB;

export const HEAD: LinkRequestHead = {
  method: "POST",
  target: "/v1/chat/completions",
  headers: [["content-type", "application/json"]],
  hasBody: true,
  streaming: false,
  upgrade: false,
  model: "",
};
export const GET: LinkRequestHead = { ...HEAD, method: "GET", headers: [], hasBody: false };
export const OK = { status: 200, headers: [] };

/** Every event of one end, and what its bodies came to. */
export class FramedEnd {
  readonly connection: FramedConnection;
  readonly events: LinkEvent[] = [];
  readonly #bodies = new Map<number, Uint8Array[]>();

  /** `also` is called for each event, to answer it from within. */
  constructor(role: "relay" | "worker", also: (event: LinkEvent) => void = () => {}, forget = false) {
    const emit = (event: LinkEvent) => {
      if (!forget) this.#keep(event);
      also(event);
    };
    this.connection = new FramedConnection({ role, emit });
  }

  /** What of a body arrived so far. */
  body(exchange: number): Uint8Array {
    return Buffer.concat(this.#bodies.get(exchange) ?? []);
  }

  #keep(event: LinkEvent): void {
    this.events.push(event);
    if (event.type !== "data") return;
    const body = this.#bodies.get(event.exchange);
    if (body) body.push(event.bytes);
    else this.#bodies.set(event.exchange, [event.bytes]);
  }

  types(exchange?: number): string[] {
    return this.events
      .filter((event) => exchange === undefined || ("exchange" in event && event.exchange === exchange))
      .map(({ type }) => type);
  }

  /** Everything that wants to be sent now. */
  messages(): (string | Uint8Array)[] {
    const all: (string | Uint8Array)[] = [];
    for (let next = this.connection.next(); next !== undefined; next = this.connection.next()) {
      all.push(sent(next));
    }
    return all;
  }
}

/** How many of the messages that an end wants to send the socket takes at a time. */
export type Accepts = "one" | "half" | "all";

/** A socket that takes this many before it is full. */
const SOCKET_MESSAGES = 8;

/** One direction of a socket in memory. */
export class Wire {
  readonly #from: LinkConnection;
  readonly #to: LinkConnection;
  readonly #accepts: Accepts;
  readonly #onTheWay: (string | Uint8Array)[] = [];

  constructor(from: LinkConnection, to: LinkConnection, accepts: Accepts) {
    this.#from = from;
    this.#to = to;
    this.#accepts = accepts;
  }

  /** Take what fits, deliver some. False: nothing moved. */
  carry(): boolean {
    const room = { one: 1, half: SOCKET_MESSAGES, all: Number.POSITIVE_INFINITY }[this.#accepts];
    while (this.#onTheWay.length < room) {
      const message = this.#from.next();
      if (message === undefined) break;
      this.#onTheWay.push(sent(message));
    }
    const arriving = this.#accepts === "half" ? Math.ceil(this.#onTheWay.length / 2) : this.#onTheWay.length;
    for (const message of this.#onTheWay.splice(0, arriving)) this.#to.receive(message);
    return arriving > 0;
  }
}

/** A copy, as a socket makes; the bytes that were given to it are the connection's again. */
function sent(message: string | Uint8Array): string | Uint8Array {
  if (typeof message === "string") return message;
  const copy = message.slice();
  message.fill(0xee);
  return copy;
}

/** Both ends of a link. */
export class FramedPair {
  readonly relay: FramedEnd;
  readonly worker: FramedEnd;
  readonly #wires: Wire[];

  constructor(
    options: {
      accepts?: Accepts;
      /** Keep no events. */
      forget?: boolean;
      /** Called for each event at the relay; at the worker. */
      atRelay?(event: LinkEvent, pair: FramedPair): void;
      atWorker?(event: LinkEvent, pair: FramedPair): void;
    } = {},
  ) {
    const { accepts = "all", forget, atRelay, atWorker } = options;
    this.relay = new FramedEnd("relay", (event) => atRelay?.(event, this), forget);
    this.worker = new FramedEnd("worker", (event) => atWorker?.(event, this), forget);
    const [relay, worker] = [this.relay.connection, this.worker.connection];
    this.#wires = [new Wire(relay, worker, accepts), new Wire(worker, relay, accepts)];
  }

  /** One step of both directions. */
  step(): boolean {
    return this.#wires.map((wire) => wire.carry()).includes(true);
  }

  /** Until nothing moves. */
  carry(): void {
    while (this.step());
  }

  /** An exchange without a request body that the worker has begun to answer. */
  answering(): number {
    const exchange = this.relay.connection.openExchange(GET);
    this.carry();
    this.worker.connection.sendResponse(exchange, OK);
    this.carry();
    return exchange;
  }
}

export function bytes(text: string): Uint8Array {
  return Buffer.from(text);
}

/** A difference is said in one line, not in a million. */
export function sameBytes(actual: Uint8Array, expected: Uint8Array): void {
  if (Buffer.compare(actual, expected) === 0) return;
  const at = actual.findIndex((byte, at) => byte !== expected[at]);
  assert.fail(`${actual.length} bytes, wanted ${expected.length}; the first difference is at ${at}`);
}

/** Bytes of which each place is told from its neighbours. */
export function pattern(length: number, seed = 0): Uint8Array {
  const body = new Uint8Array(length);
  for (let at = 0; at < length; at++) body[at] = (at * 31 + (at >> 8) * 7 + seed) & 255;
  return body;
}

export const u32 = (value: number) => [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];

/** The bytes of one frame, written out independently of the code that is tested. */
export function frame(
  type: number,
  exchange: number,
  payload: Uint8Array | number[] = [],
  flags = 0,
): Uint8Array {
  return Uint8Array.from([type, flags, ...u32(exchange), ...u32(payload.length), ...payload]);
}

export const requestFrame = (exchange: number, lines = "POST\n/", window = 1000) =>
  frame(FRAME.REQUEST, exchange, [...u32(window), ...Buffer.from(lines, "latin1")]);

/** A worker that has got these. */
export function workerAfter(...frames: Uint8Array[]): FramedEnd {
  const end = new FramedEnd("worker");
  for (const sent of frames) end.connection.receive(sent);
  return end;
}

export function refuses({ connection }: FramedEnd, message: string | Uint8Array, says: RegExp): void {
  assert.throws(
    () => connection.receive(message),
    (error: Error) => error instanceof LinkProtocolError && says.test(error.message),
    `${says}`,
  );
}
