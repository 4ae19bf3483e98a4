import { Buffer } from "node:buffer";
import type { LinkRequestHead, LinkResponseHead } from "../../../shared/link/events.ts";
import type { LinkExchange } from "../../../shared/link/link.ts";
import type { Run } from "./behaviour_run.ts";
import { KIB } from "./framed_ends.ts";

/** What the relay's side sees of an exchange. A long body by its length, a failure's body by its code. */
export interface Seen {
  /** 0: no head came. */
  status: number;
  headers?: [string, string][];
  body: string;
  over: string;
  /** What the worker's side saw. */
  worker: string;
}

export interface Scenario {
  name: string;
  head?: Partial<LinkRequestHead>;
  body?: Uint8Array | string;
  /** What the worker does once the request is there; it may come back to `carry` and do more. */
  answer(exchange: LinkExchange, run: Run): void;
  /** What the client does when the worker has answered. */
  afterwards?(exchange: LinkExchange, run: Run): void;
  /** The client takes nothing. */
  stalls?: boolean;
  sees: Seen;
}

const JSON_HEAD: LinkResponseHead = { status: 200, headers: [["content-type", "application/json"]] };
const SSE_HEAD: LinkResponseHead = { status: 200, headers: [["content-type", "text/event-stream"]] };
const EVENT = Buffer.from("data: 1\n\n");
const EVENT_OF_64_KIB = Buffer.from(`data: ${"x".repeat(64 * KIB - 8)}\n\n`);
const BINARY = Uint8Array.of(0xff, 0xfe, 0, 1);
const ASKED = "POST /v1/chat/completions {}";

function whole(exchange: LinkExchange, head: LinkResponseHead, body: string | Uint8Array): void {
  exchange.started();
  exchange.respond(head);
  exchange.write(typeof body === "string" ? Buffer.from(body) : body);
  exchange.end();
}

/** 20 MiB, one piece after the other, while there is room. */
function writeMuch(exchange: LinkExchange, run: Run): string {
  for (let sent = 0; sent < 320; sent++) {
    const room = exchange.write(EVENT_OF_64_KIB);
    run.carry();
    if (!room && !run.takeRoom()) return "told to wait";
  }
  return "all was taken";
}

/** What a link does for an exchange, whatever its form. */
export const SCENARIOS: Scenario[] = [
  {
    name: "unary",
    answer: (exchange) => whole(exchange, JSON_HEAD, '{"ok":true}'),
    sees: { status: 200, body: '{"ok":true}', over: "end", worker: ASKED },
  },
  {
    name: "a GET with a query and an empty answer",
    head: { method: "GET", target: "/v1/models?a=%20", hasBody: false },
    body: "",
    answer: (exchange) => whole(exchange, { status: 204, headers: [] }, ""),
    sees: { status: 204, body: "", over: "end", worker: "GET /v1/models?a=%20" },
  },
  {
    name: "an error status passes as it is",
    answer: (exchange) => whole(exchange, { ...JSON_HEAD, status: 429 }, "slow down"),
    sees: { status: 429, body: "slow down", over: "end", worker: ASKED },
  },
  {
    name: "an error status instead of a stream passes as it is",
    head: { streaming: true },
    answer: (exchange) => whole(exchange, { ...JSON_HEAD, status: 400 }, "no such model"),
    sees: { status: 400, body: "no such model", over: "end", worker: ASKED },
  },
  {
    name: "an event of a stream is there before the next one is written",
    head: { streaming: true },
    answer(exchange, run) {
      exchange.respond(SSE_HEAD);
      exchange.write(EVENT);
      run.carry();
      run.note(run.seen.body);
      exchange.write(EVENT);
      exchange.end();
    },
    sees: { status: 200, body: "data: 1\n\ndata: 1\n\n", over: "end", worker: `${ASKED} | data: 1\n\n` },
  },
  {
    name: "a large text in both directions",
    body: "\u20ac".repeat(1_000_000),
    answer: (exchange) => whole(exchange, JSON_HEAD, "\u00e4".repeat(2_000_000)),
    sees: {
      status: 200,
      body: "4000000 bytes",
      over: "end",
      worker: "POST /v1/chat/completions 3000000 bytes",
    },
  },
  {
    name: "binary in the request",
    body: BINARY,
    answer: (exchange) => whole(exchange, JSON_HEAD, "got it"),
    sees: { status: 200, body: "got it", over: "end", worker: "POST /v1/chat/completions hex fffe0001" },
  },
  {
    name: "binary in the response",
    answer: (exchange) => whole(exchange, JSON_HEAD, BINARY),
    sees: { status: 200, body: "hex fffe0001", over: "end", worker: ASKED },
  },
  {
    name: "repeated header fields",
    answer: (exchange, run) => {
      run.showHeaders();
      const headers: [string, string][] = [
        ["x-tag", "a"],
        ["x-tag", "b"],
        ["set-cookie", "a=1"],
        ["set-cookie", "b=2"],
      ];
      whole(exchange, { status: 204, headers }, "");
    },
    sees: {
      status: 204,
      headers: [
        ["x-tag", "a"],
        ["x-tag", "b"],
        ["set-cookie", "a=1"],
        ["set-cookie", "b=2"],
      ],
      body: "",
      over: "end",
      worker: ASKED,
    },
  },
  {
    name: "the client leaves in the middle of a stream",
    head: { streaming: true },
    answer(exchange) {
      exchange.respond(SSE_HEAD);
      exchange.write(EVENT);
    },
    afterwards: (exchange) => exchange.reset("cancelled", "the client left"),
    sees: { status: 200, body: "data: 1\n\n", over: "left", worker: `${ASKED} | reset cancelled` },
  },
  {
    name: "the worker refuses",
    answer: (exchange) => exchange.reset("refused", "no slot"),
    sees: { status: 0, body: "", over: "reset refused", worker: ASKED },
  },
  {
    name: "the backend cannot be reached",
    answer(exchange) {
      exchange.started();
      exchange.reset("backend_unreachable", "connection refused");
    },
    sees: { status: 0, body: "", over: "reset backend_unreachable", worker: ASKED },
  },
  {
    name: "the backend breaks off a stream",
    head: { streaming: true },
    answer(exchange, run) {
      exchange.respond(SSE_HEAD);
      exchange.write(EVENT);
      run.carry();
      exchange.reset("backend_broke_off", "closed");
    },
    sees: { status: 200, body: "data: 1\n\n", over: "reset backend_broke_off", worker: ASKED },
  },
  {
    name: "the client stalls while 20 MiB are streamed",
    head: { streaming: true },
    stalls: true,
    answer(exchange, run) {
      exchange.respond(SSE_HEAD);
      run.note(writeMuch(exchange, run));
    },
    sees: { status: 200, body: `${256 * KIB} bytes`, over: "open", worker: `${ASKED} | told to wait` },
  },
  {
    name: "the link is lost",
    answer(exchange, run) {
      exchange.started();
      run.lose();
    },
    sees: { status: 0, body: "", over: "reset link_lost", worker: `${ASKED} | reset link_lost` },
  },
];
