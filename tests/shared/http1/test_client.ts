import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Http1Client, type Http1ClientOptions } from "../../../shared/http1/client.ts";
import {
  type ClientExchange,
  type ExchangeHandlers,
  Http1Failure,
  type Http1RequestHead,
  type Http1ResponseHead,
  type Origin,
  type RequestBody,
  type RequestOptions,
} from "../../../shared/http1/types.ts";
import { runtime } from "../../../shared/runtime/current.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { ByteBackend, type BytePeer } from "./byte_backend.ts";

export interface Setup {
  backend: ByteBackend;
  client: Http1Client;
  clock: FakeClock;
  origin: Origin;
}

/** A client and a raw backend, both closed when the test is over; no timer may be left then. */
export async function withBackend(
  run: (setup: Setup) => Promise<void>,
  options: Partial<Http1ClientOptions> & { serve?: (peer: BytePeer) => void; allowHalfOpen?: boolean } = {},
): Promise<void> {
  const backend = await ByteBackend.start(options.serve, options.allowHalfOpen);
  const clock = new FakeClock();
  const client = new Http1Client({ runtime, clock, ...options });
  try {
    await run({ backend, client, clock, origin: { host: "127.0.0.1", port: backend.port } });
  } finally {
    client.close();
    await backend.close();
  }
  assert.equal(clock.pending, 0);
}

export interface Sent extends Partial<Http1RequestHead>, RequestOptions {
  body?: RequestBody;
  /** Called beside what is recorded. */
  on?: Partial<ExchangeHandlers>;
}

/** One request with what came of it. */
export class Recorded {
  /** The names of what was called, `data` once. */
  readonly events: string[] = [];
  head: Http1ResponseHead | undefined;
  bodyBytes = 0;
  failure: Http1Failure | undefined;
  readonly exchange: ClientExchange;
  /** Resolves on end and on failure. */
  readonly over: Promise<this>;
  readonly #body: Uint8Array[] = [];

  constructor(client: Http1Client, origin: Origin, sent: Sent = {}) {
    const { method = "GET", target = "/", headers = [], body = "none", on = {} } = sent;
    const { promise, resolve } = Promise.withResolvers<this>();
    this.over = promise;
    const handlers = this.#handlers(on, () => resolve(this));
    this.exchange = client.request(origin, { method, target, headers }, body, handlers, sent);
    assert.deepEqual(this.events, [], "a handler was called before request() returned");
  }

  get body(): Buffer {
    return Buffer.concat(this.#body);
  }

  /** The body, each byte one character. */
  get text(): string {
    return this.body.toString("latin1");
  }

  #handlers(on: Partial<ExchangeHandlers>, finish: () => void): ExchangeHandlers {
    const note = (event: string) => {
      const last = this.events.at(-1);
      assert.ok(last !== "end" && last !== "failed", `${event} after ${last}`);
      if (event !== "data" || last !== "data") this.events.push(event);
    };
    return {
      started: () => {
        note("started");
        on.started?.();
      },
      head: (head) => {
        note("head");
        this.head = head;
        on.head?.(head);
      },
      data: (bytes) => {
        note("data");
        this.bodyBytes += bytes.length;
        this.#body.push(new Uint8Array(bytes));
        on.data?.(bytes);
      },
      drain: () => on.drain?.(),
      settled: () => {
        assert.ok(this.head && !this.failure, "settled where nothing came, or after failed");
        on.settled?.();
      },
      end: () => {
        note("end");
        on.end?.();
        finish();
      },
      failed: (failure) => {
        note("failed");
        assert.ok(failure instanceof Http1Failure);
        this.failure = failure;
        on.failed?.(failure);
        finish();
      },
    };
  }
}

/** Send a request and wait for what becomes of it. */
export function send(setup: Pick<Setup, "client" | "origin">, sent: Sent = {}): Promise<Recorded> {
  return new Recorded(setup.client, setup.origin, sent).over;
}

/** Send a request that has to succeed. */
export async function succeed(setup: Pick<Setup, "client" | "origin">, sent: Sent = {}): Promise<Recorded> {
  const recorded = await send(setup, sent);
  if (recorded.failure) throw recorded.failure;
  return recorded;
}

/** Send a request that has to fail in this way. */
export async function fail(
  setup: Pick<Setup, "client" | "origin">,
  kind: Http1Failure["kind"],
  sent: Sent = {},
): Promise<Recorded> {
  const recorded = await send(setup, sent);
  assert.equal(recorded.failure?.kind, kind, String(recorded.failure));
  return recorded;
}

/** Start a request and wait until the backend has read its head. */
export async function underWay(setup: Setup, sent: Sent = {}): Promise<{ one: Recorded; peer: BytePeer }> {
  const number = setup.backend.peers.length;
  const one = new Recorded(setup.client, setup.origin, sent);
  const peer = await setup.backend.peer(number);
  await peer.receivesHead();
  return { one, peer };
}
