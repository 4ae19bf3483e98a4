/**
 * What the framed link costs per exchange, protocol alone, both ends in one process: `bun bench/link.ts`, or with
 * `deno run -A`. Every message of one end is received by the other; events are counted, so that nothing can be
 * left out as unused.
 */
import type { HeaderPairs } from "../shared/http1/types.ts";
import type { LinkConnection, LinkEvent, LinkRequestHead } from "../shared/link/events.ts";
import { FramedConnection } from "../shared/link/framed.ts";

/** As a client of an OpenAI SDK sends them, behind a relay. */
const REQUEST_HEADERS: HeaderPairs = [
  ["accept", "application/json"],
  ["accept-encoding", "gzip, deflate"],
  ["content-type", "application/json"],
  ["user-agent", "OpenAI/Python 1.99.6"],
  ["x-stainless-arch", "x64"],
  ["x-stainless-lang", "python"],
  ["x-stainless-package-version", "1.99.6"],
  ["x-stainless-runtime", "CPython"],
  ["x-stainless-runtime-version", "3.12.3"],
  ["content-length", "1000"],
  ["via", "1.1 signalbox"],
  ["x-forwarded-for", "203.0.113.7"],
  ["x-forwarded-proto", "https"],
  ["x-forwarded-host", "relay.example"],
];
const RESPONSE_HEADERS: HeaderPairs = [
  ["date", "Thu, 02 Jan 2025 03:04:05 GMT"],
  ["server", "uvicorn"],
  ["content-type", "application/json"],
  ["content-length", "600"],
  ["x-request-id", "0e5c2a9c-3f7b-4c7e-9d41-6b1f0f7d1a55"],
];
const HEAD: LinkRequestHead = {
  method: "POST",
  target: "/v1/chat/completions",
  headers: REQUEST_HEADERS,
  hasBody: true,
  streaming: true,
  upgrade: false,
  model: "m",
};

const PROMPT = new Uint8Array(1000).fill(0x61);
const ANSWER = new Uint8Array(600).fill(0x62);
const TOKEN = new Uint8Array(160).fill(0x63);
const PIECE = new Uint8Array(64 * 1024).fill(0x64);
const TOKENS = 100;
const BULK_BYTES = 64 * 1024 * 1024;

/** A worker that answers in its way, and a relay that counts what it gets and consumes it at once. */
function pair(answer: (worker: FramedConnection, exchange: number) => void) {
  const counted = { bytes: 0, ends: 0 };
  const relay: FramedConnection = new FramedConnection({
    role: "relay",
    emit: (event: LinkEvent) => {
      if (event.type === "end") counted.ends++;
      if (event.type !== "data") return;
      counted.bytes += event.bytes.length;
      relay.consumed(event.exchange, event.bytes.length);
    },
  });
  const worker: FramedConnection = new FramedConnection({
    role: "worker",
    emit: (event) => {
      if (event.type === "data") worker.consumed(event.exchange, event.bytes.length);
      if (event.type === "end") {
        worker.sendStarted(event.exchange);
        answer(worker, event.exchange);
      }
    },
  });
  return { relay, worker, counted };
}

function carry(from: LinkConnection, to: LinkConnection): void {
  for (let message = from.next(); message !== undefined; message = from.next()) to.receive(message);
}

function request(relay: FramedConnection, worker: FramedConnection): void {
  const exchange = relay.openExchange(HEAD);
  relay.sendData(exchange, PROMPT);
  relay.sendEnd(exchange);
  carry(relay, worker);
}

function unary(): (times: number) => number {
  const { relay, worker, counted } = pair((worker, exchange) => {
    worker.sendResponse(exchange, { status: 200, headers: RESPONSE_HEADERS });
    worker.sendData(exchange, ANSWER);
    worker.sendEnd(exchange);
  });
  return (times) => {
    for (let round = 0; round < times; round++) {
      request(relay, worker);
      carry(worker, relay);
    }
    return counted.ends;
  };
}

/** One message per event, as when a backend writes them one by one. */
function stream(): (times: number) => number {
  let exchange = 0;
  const { relay, worker, counted } = pair((worker, id) => {
    worker.sendResponse(id, { status: 200, headers: RESPONSE_HEADERS });
    exchange = id;
  });
  return (times) => {
    for (let round = 0; round < times; round++) {
      request(relay, worker);
      for (let token = 0; token < TOKENS; token++) {
        worker.sendData(exchange, TOKEN);
        carry(worker, relay);
      }
      worker.sendEnd(exchange);
      carry(worker, relay);
    }
    return counted.ends;
  };
}

/** 64 streams whose events share messages, as on a busy link. */
function streams(): (times: number) => number {
  const open: number[] = [];
  const { relay, worker, counted } = pair((worker, id) => {
    worker.sendResponse(id, { status: 200, headers: RESPONSE_HEADERS });
    open.push(id);
  });
  return (times) => {
    for (let round = 0; round < times; round += 64) {
      while (open.length < 64) request(relay, worker);
      for (let token = 0; token < TOKENS; token++) {
        for (const id of open) worker.sendData(id, TOKEN);
        carry(worker, relay);
      }
      for (const id of open) worker.sendEnd(id);
      open.length = 0;
      carry(worker, relay);
    }
    return counted.ends;
  };
}

function bulk(): (times: number) => number {
  let exchange = 0;
  const { relay, worker, counted } = pair((worker, id) => {
    worker.sendResponse(id, { status: 200, headers: RESPONSE_HEADERS });
    exchange = id;
  });
  return (times) => {
    for (let round = 0; round < times; round++) {
      request(relay, worker);
      carry(worker, relay);
      for (let sent = 0; sent < BULK_BYTES; sent += PIECE.length) {
        worker.sendData(exchange, PIECE);
        carry(worker, relay);
        carry(relay, worker);
      }
      worker.sendEnd(exchange);
      for (let ends = counted.ends; counted.ends === ends; carry(relay, worker)) carry(worker, relay);
    }
    return counted.ends;
  };
}

/** The best of a few: what the machine does beside it can only add. */
function measure(run: (times: number) => number, times: number): number {
  let done = run(times);
  let bestMs = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < 5; attempt++) {
    const startMs = performance.now();
    const before = done;
    done = run(times);
    bestMs = Math.min(bestMs, performance.now() - startMs);
    if (done - before < times) throw new Error(`${done - before} of ${times} exchanges were complete`);
  }
  return bestMs / times;
}

const us = (ms: number) => `${(ms * 1000).toFixed(2)} µs`;
console.log(`unary, 1 kB up, 600 B down: ${us(measure(unary(), 20_000))} per exchange`);
console.log(`${TOKENS} events, a message each: ${us(measure(stream(), 1_000))} per exchange`);
console.log(`${TOKENS} events, 64 streams sharing messages: ${us(measure(streams(), 1_024))} per exchange`);
const bulkMs = measure(bulk(), 1);
console.log(`bulk: ${(BULK_BYTES / 1024 / 1024 / (bulkMs / 1000)).toFixed(0)} MiB/s`);
