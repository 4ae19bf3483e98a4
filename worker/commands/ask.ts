import { systemClock } from "../../shared/clock.ts";
import { Http1Client } from "../../shared/http1/client.ts";
import { fetchOver } from "../../shared/http1/fetch.ts";
import { Http1Failure } from "../../shared/http1/types.ts";
import { runtime } from "../../shared/runtime/current.ts";

/** Somebody waits at a terminal, and what is asked for is small. */
const ANSWER_LIMIT_MS = 5000;

export interface Asked {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
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
    const answer = await fetchOver(client, caPem && { caPem })(url, {
      headers: { accept: "application/json" },
    });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, text, tookMs: systemClock.nowMs() - startMs };
  } catch (error) {
    if (error instanceof Http1Failure) return error;
    throw error;
  } finally {
    client.close();
  }
}

/** What an answer holds as JSON; undefined when it is another one. */
export function jsonIn({ status, text }: Asked): unknown {
  if (status !== 200) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
