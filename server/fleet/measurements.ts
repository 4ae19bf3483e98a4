import type { Measured, MeasuredView } from "../routing/types.ts";
import { ExpiringMap, pairKey } from "./expiring_map.ts";
import { SampleWindow, WINDOW_MS } from "./sample_window.ts";

/** Clients may name any model to a worker that serves every one. */
const KEYS_MAX = 4_096;

/** What the relay saw of one answer. */
export interface Sample {
  /** Seconds from dispatch to the first byte. */
  readonly latencyS?: number;
  /** From dispatch to the last byte. */
  readonly tokensPerS?: number;
}

interface Windows {
  readonly latency: SampleWindow;
  readonly throughput: SampleWindow;
}

/**
 * How fast providers answered with which model in the last five minutes. Nothing is computed before somebody asks,
 * and again only when a sample came or went.
 */
export class Measurements implements MeasuredView {
  readonly #windows = new ExpiringMap<Windows>({ lifetimeMs: WINDOW_MS, countMax: KEYS_MAX });
  #nowMs = Number.NEGATIVE_INFINITY;

  /** `provider` with its variant. */
  record(sample: Sample & { provider: string; model: string }, nowMs: number): void {
    const { provider, model, latencyS, tokensPerS } = sample;
    if (latencyS === undefined && tokensPerS === undefined) return;
    const key = pairKey(provider, model);
    const windows = this.#windows.get(key, nowMs) ?? {
      latency: new SampleWindow("lower"),
      throughput: new SampleWindow("higher"),
    };
    if (latencyS !== undefined) windows.latency.add(latencyS, nowMs);
    if (tokensPerS !== undefined) windows.throughput.add(tokensPerS, nowMs);
    this.#windows.set(key, windows, nowMs);
  }

  /** Whether the next answer is to be measured: of a busy provider some are enough. */
  wants(provider: string, model: string, nowMs: number): boolean {
    const windows = this.#windows.get(pairKey(provider, model), nowMs);
    // Every answer that is measured has a latency.
    return windows === undefined || windows.latency.wants(nowMs);
  }

  /** What is known by then. Valid until the caller gives up its turn. */
  at(nowMs: number): MeasuredView {
    this.#nowMs = nowMs;
    return this;
  }

  of(provider: string, model: string): Measured | undefined {
    const windows = this.#windows.get(pairKey(provider, model), this.#nowMs);
    const latency = windows?.latency.percentiles(this.#nowMs);
    const throughput = windows?.throughput.percentiles(this.#nowMs);
    if (!latency && !throughput) return undefined;
    return { ...(latency && { latency }), ...(throughput && { throughput }) };
  }
}
