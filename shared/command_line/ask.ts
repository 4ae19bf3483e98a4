import { systemClock } from "../clock.ts";
import { Http1Client } from "../http1/client.ts";
import { fetchOver } from "../http1/fetch.ts";
import { type HeaderPairs, Http1Failure } from "../http1/types.ts";
import { runtime } from "../runtime/current.ts";

/** Somebody waits at a terminal, and what is asked for is small. */
const ANSWER_LIMIT_MS = 5000;

export interface Asked {
  readonly status: number;
  readonly headers: HeaderPairs;
  readonly body: string;
  /** From the name to the last byte. */
  readonly tookMs: number;
}

/** GET a URL on a connection of its own, with nothing in between. Gives why, where no answer came. */
export async function ask(url: string, caPem?: string[]): Promise<Asked | Http1Failure> {
  const client = new Http1Client({
    runtime,
    clock: systemClock,
    connectTimeoutMs: ANSWER_LIMIT_MS,
    firstByteTimeoutMs: ANSWER_LIMIT_MS,
    idleBodyTimeoutMs: ANSWER_LIMIT_MS,
  });
  const startMs = systemClock.nowMs();
  try {
    const accept = { headers: { accept: "application/json" } };
    const answer = await fetchOver(client, caPem && { caPem })(url, accept);
    const body = await answer.text();
    const tookMs = systemClock.nowMs() - startMs;
    return { status: answer.status, headers: [...answer.headers] as HeaderPairs, body, tookMs };
  } catch (error) {
    if (error instanceof Http1Failure) return error;
    throw error;
  } finally {
    client.close();
  }
}
