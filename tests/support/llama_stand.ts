import { after, before } from "node:test";
import { LlamaBackend } from "./llama_backend.ts";
import { Pair } from "./pair.ts";

/** A real llama.cpp server, and a relay and a worker in front of it. */
export interface LlamaStand {
  llama: LlamaBackend;
  pair: Pair;
  model: string;
}

/** A stand for all tests of the suite that this is called in; empty until they run. */
export function llamaStand(): LlamaStand {
  const stand = {} as LlamaStand;
  before(async () => {
    stand.llama = await LlamaBackend.start(4);
    stand.model = await stand.llama.model();
    stand.pair = await Pair.start(stand.llama.url, { worker: ["--max-concurrency", "4"] });
  });
  after(async () => {
    await stand.pair?.[Symbol.asyncDispose]();
    await stand.llama?.stop();
  });
  return stand;
}

/** The same answer each time: the most likely token, and nothing left over from the request before. */
export const DETERMINISTIC = { temperature: 0, seed: 1, cache_prompt: false };

/** An answer that never ends by itself. */
export const ENDLESS = { max_tokens: -1 };

/**
 * Without a stream, llama.cpp looks whether its client is still there after each second in which it answered
 * nobody: asking for its slots more often would keep it from that.
 */
export const UNDISTURBED_MS = 1500;

/** For a machine that does much else at the same time. */
export const PATIENT = { timeout: 30_000 };
