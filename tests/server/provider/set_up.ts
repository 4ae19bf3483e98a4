import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { ProviderDialer, type ProviderDialerOptions } from "../../../server/provider.ts";
import type { CarriedExchange } from "../../../server/relay/carrier.ts";
import type { OverrideEndpoint, OverrideTarget } from "../../../server/routing/override_types.ts";
import type { LinkRequestHead, LinkResponseHead, ResetCode } from "../../../shared/link/events.ts";
import type { ExchangeHandlers } from "../../../shared/link/link.ts";
import { runtime } from "../../../shared/runtime/current.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { type BackendRequest, RawBackend } from "../../support/raw_backend.ts";
import { until } from "../../support/until.ts";

export function endpointOf(given: Partial<OverrideEndpoint>): OverrideEndpoint {
  return { name: "dac", patterns: [], credential: "none", join: false, allowPrivate: [], ...given };
}

/** On loopback, without TLS, unless told otherwise. */
export function targetOf(given: Partial<OverrideTarget> & Pick<OverrideTarget, "port">): OverrideTarget {
  const { host = "good.test", secure = false, target = "/20240101/chat", port } = given;
  return {
    endpoint: endpointOf({ allowPrivate: ["127.0.0.0/8"] }),
    pattern: "",
    secure,
    host,
    target,
    url: `${secure ? "https" : "http"}://${host}:${port}${target}`,
    ...given,
  };
}

/** A dialler on loopback for whom each name is 127.0.0.1, with a clock that stands still. */
export function dialerOf(given: Partial<ProviderDialerOptions> = {}): {
  dialer: ProviderDialer;
  clock: FakeClock;
} {
  const clock = new FakeClock();
  const dialer = new ProviderDialer({
    runtime,
    clock,
    lookup: async () => ["127.0.0.1"],
    listeningPorts: () => [],
    ...given,
  });
  return { dialer, clock };
}

/** One exchange and what came of it, as an attempt would hold it. */
export class Carried implements ExchangeHandlers {
  /** The names of what was called, each once in a row. */
  readonly events: string[] = [];
  readonly chunks: Uint8Array[] = [];
  head: LinkResponseHead | undefined;
  failure: { code: ResetCode; text: string } | undefined;
  bytes = 0;
  writables = 0;
  ended = false;
  readonly exchange: CarriedExchange;
  /** Called for each piece: by default it is consumed at once. */
  onData: (bytes: Uint8Array) => void = (bytes) => this.exchange.consumed(bytes.length);

  constructor(dialer: ProviderDialer, target: OverrideTarget, head: Partial<LinkRequestHead> = {}) {
    this.exchange = dialer.carrierTo(target).openExchange(
      {
        method: "GET",
        target: "/v1/chat/completions?never=sent",
        headers: [],
        hasBody: false,
        streaming: false,
        upgrade: false,
        model: "",
        ...head,
      },
      this,
    );
    assert.deepEqual(this.events, []);
    // When the test has written what is there already.
    queueMicrotask(() => this.exchange.flush?.());
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString("latin1");
  }

  /** Resolves on end and on reset. */
  async over(): Promise<this> {
    await until(
      () => (this.ended && this.events.at(-1) === "settled") || this.failure !== undefined,
      "the end",
    );
    return this;
  }

  async fails(): Promise<{ code: ResetCode; text: string }> {
    await this.over();
    assert.ok(this.failure, this.events.join(" "));
    return this.failure;
  }

  started(): void {
    this.#note("started");
  }

  response(head: LinkResponseHead): void {
    this.#note("response");
    this.head = head;
  }

  data(bytes: Uint8Array): void {
    this.#note("data");
    this.chunks.push(new Uint8Array(bytes));
    this.bytes += bytes.length;
    this.onData(bytes);
  }

  writable(): void {
    this.writables++;
  }

  settled(): void {
    this.#note("settled");
  }

  end(): void {
    this.#note("end");
    this.ended = true;
  }

  reset(code: ResetCode, text: string): void {
    this.#note("reset");
    this.failure = { code, text };
  }

  #note(event: string): void {
    const last = this.events.at(-1);
    assert.ok(last !== "reset" && (!this.ended || event === "settled"), `${event} after ${last}`);
    if (event !== last) this.events.push(event);
  }
}

/** A provider without TLS, a dialler, and the way from one to the other. */
export async function withProvider(
  run: (parts: ReturnType<typeof dialerOf> & { provider: RawBackend; open: Open }) => Promise<void>,
  serve?: (request: BackendRequest) => void,
): Promise<void> {
  await using provider = await RawBackend.start(serve);
  const { dialer, clock } = dialerOf({
    connectTimeoutMs: 2000,
    firstByteTimeoutMs: 5000,
    idleBodyTimeoutMs: 3000,
  });
  const target = targetOf({ port: provider.port });
  try {
    await run({ provider, dialer, clock, open: (head) => new Carried(dialer, target, head) });
  } finally {
    dialer.close();
  }
  assert.equal(clock.pending, 0);
}
type Open = (head?: ConstructorParameters<typeof Carried>[2]) => Carried;

export const POST = { method: "POST", hasBody: true };
export const sized = (length: number) => ({
  ...POST,
  headers: [["content-length", `${length}`]] as [string, string][],
});
