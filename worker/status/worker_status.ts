import type { Meter } from "./meter.ts";

/** Tokens come in bursts: the rate is that of the last seconds. */
const RATE_WINDOW_MS = 3000;

type LinkState = { is: "connected" } | { is: "connecting" } | { is: "apart"; nextMs: number };

export interface WorkerStatusOptions {
  relayUrls: readonly string[];
  maxConcurrency: number;
  meter: Meter;
  nowMs(): number;
}

/** How a worker is, in one line: told what happens, and asked for the line whenever it is shown. */
export class WorkerStatus {
  readonly meter: Meter;
  readonly #options: WorkerStatusOptions;
  readonly #links = new Map<string, LinkState>();
  readonly #samples: { atMs: number; tokens: number }[] = [];
  readonly #startMs: number;
  #sought = true;
  #away = false;

  constructor(options: WorkerStatusOptions) {
    this.#options = options;
    this.meter = options.meter;
    this.#startMs = options.nowMs();
    for (const url of options.relayUrls) this.#links.set(url, { is: "connecting" });
  }

  /** It is known which backend is to be served. */
  found(): void {
    this.#sought = false;
  }

  backend(isReachable: boolean): void {
    this.#away = !isReachable;
  }

  registered(relayUrl: string): void {
    this.#links.set(relayUrl, { is: "connected" });
  }

  apart(relayUrl: string, delayMs: number): void {
    this.#links.set(relayUrl, { is: "apart", nextMs: this.#options.nowMs() + delayMs });
  }

  line(): string {
    const nowMs = this.#options.nowMs();
    if (this.#sought) {
      return `looking for a backend on this machine, ${seconds(nowMs - this.#startMs)} so far`;
    }
    const { meter } = this;
    return [
      this.#linkText(nowMs),
      ...(this.#away ? ["the backend does not answer"] : []),
      `${meter.running} of ${this.#options.maxConcurrency} in flight`,
      `${meter.finished} ${meter.finished === 1 ? "request" : "requests"}`,
      `${this.#tokensPerSecond(nowMs)} tokens/s`,
    ].join(" · ");
  }

  #linkText(nowMs: number): string {
    const links = [...this.#links.values()];
    const connected = links.filter(({ is }) => is === "connected").length;
    if (connected === links.length) return links.length === 1 ? "connected" : `connected to all ${connected}`;
    const next = links.flatMap((link) => (link.is === "apart" && link.nextMs > nowMs ? [link.nextMs] : []));
    const waiting = next.length > 0 ? `next try in ${seconds(Math.min(...next) - nowMs)}` : "connecting";
    return links.length === 1
      ? `waiting for the relay, ${waiting}`
      : `${connected} of ${links.length} relays, ${waiting}`;
  }

  #tokensPerSecond(nowMs: number): number {
    const samples = this.#samples;
    const { tokens } = this.meter;
    samples.push({ atMs: nowMs, tokens });
    while (samples.length > 2 && samples[1]!.atMs <= nowMs - RATE_WINDOW_MS) samples.shift();
    const passedMs = nowMs - samples[0]!.atMs;
    return passedMs === 0 ? 0 : Math.round(((tokens - samples[0]!.tokens) * 1000) / passedMs);
  }
}

function seconds(ms: number): string {
  return `${Math.max(0, Math.ceil(ms / 1000))} s`;
}
