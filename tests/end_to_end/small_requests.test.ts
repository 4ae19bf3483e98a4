import assert from "node:assert/strict";
import { performance } from "node:perf_hooks";
import { test } from "node:test";
import { EchoBackend } from "../support/echo_backend.ts";
import { Pair } from "../support/pair.ts";

/** Enough that a slow one is no median. */
const REQUESTS = 50;

/** Of a new connection the first ones are acknowledged at once. */
const UNCOUNTED = 20;

/** Linux acknowledges after 40 ms what it has nothing to say to. */
const LIMIT_MS = 20;

async function duration(origin: string): Promise<number> {
  const start = performance.now();
  const response = await fetch(`${origin}/v1/chat/completions`, { method: "POST", body: '{"model":"m"}' });
  assert.equal(response.status, 200);
  await response.text();
  return performance.now() - start;
}

const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1]!;

test("a small answer waits for no acknowledgement on its way", async () => {
  await using backend = await EchoBackend.start();
  await using pair = await Pair.start(backend.url, { worker: ["--models=m"] });
  const direct: number[] = [];
  const relayed: number[] = [];
  for (let request = 0; request < UNCOUNTED + REQUESTS; request++) {
    const times = [await duration(backend.url), await duration(pair.url)] as const;
    if (request < UNCOUNTED) continue;
    direct.push(times[0]);
    relayed.push(times[1]);
  }
  const [without, through] = [median(direct), median(relayed)];
  assert.ok(through - without < LIMIT_MS, `${through} ms through the relay, ${without} ms without it`);
});
