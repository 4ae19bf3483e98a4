import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { endRelay, startRelay } from "../support/admin_view.ts";
import { FORMS, formFlag, type LinkForm } from "../support/link_form.ts";
import { type RelayProgram, WorkerProgram } from "../support/program.ts";
import { type BackendRequest, RawBackend } from "../support/raw_backend.ts";
import { ask } from "../support/raw_client.ts";
import { routed } from "../support/routing_stand.ts";

/** Order and cut-offs by what the relay saw of earlier answers: routing.md, 3, "measured". */

/** The two differ by far more than what the machine's other work may add. */
const SLOW_MS = 400;
const TOKENS = 40;

let relay: RelayProgram;

before(async () => {
  relay = await startRelay(["--max-worker-handshakes=1000"]);
});

after(async () => {
  await endRelay(relay);
});

/** When the head comes, and the last byte, after the request. */
type Pace = readonly [firstMs: number, lastMs: number];

function backend([firstMs, lastMs]: Pace): Promise<RawBackend> {
  const answer = (request: BackendRequest) => {
    setTimeout(() => {
      request.startStream({ "content-type": "application/json" });
      setTimeout(() => {
        request.chunk(`{"usage":{"completion_tokens":${TOKENS}}}`);
        request.lastChunk();
      }, lastMs - firstMs);
    }, firstMs);
  };
  return RawBackend.start(answer);
}

/** A worker for each pace, by its provider's name. */
async function fleetOf(model: string, form: LinkForm, paces: Record<string, Pace>) {
  const all = new AsyncDisposableStack();
  for (const [provider, pace] of Object.entries(paces)) {
    const its = all.use(await backend(pace));
    const flags = [`--models=${model}`, `--provider=${provider}`, "--max-concurrency=4", formFlag(form)];
    all.use(await WorkerProgram.start(relay.url, its.url, flags));
  }
  const served = async (provider: object, times: number) => {
    const found = [];
    for (let time = 0; time < times; time++) {
      const headers = { "content-type": "application/json" };
      found.push(routed(await ask(relay.port, { headers, body: { model, provider } })).provider);
    }
    return found;
  };
  const warm = async () => {
    await Promise.all(Object.keys(paces).map((provider) => served({ only: [provider] }, 2)));
  };
  return { served, warm, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

for (const form of FORMS) {
  describe(`over ${form} links`, () => {
    test("by latency: a fast first byte goes before a slow one; what was never seen goes last", async () => {
      await using fleet = await fleetOf(`latency-${form}`, form, {
        slow: [SLOW_MS, SLOW_MS],
        fast: [0, 0],
        unseen: [0, 0],
      });
      await fleet.served({ only: ["slow"] }, 2);
      await fleet.served({ only: ["fast"] }, 2);
      assert.deepEqual(await fleet.served({ sort: "latency" }, 4), ["fast", "fast", "fast", "fast"]);
      assert.deepEqual(await fleet.served({ sort: "latency", ignore: ["fast"] }, 1), ["slow"]);
      assert.deepEqual(await fleet.served({ sort: { by: "latency" }, order: ["slow"] }, 1), ["slow"]);
    });

    test("by throughput: tokens from dispatch to the last byte", async () => {
      await using fleet = await fleetOf(`throughput-${form}`, form, {
        slow: [0, SLOW_MS],
        fast: [60, 60],
      });
      await fleet.warm();
      assert.deepEqual(await fleet.served({ sort: "throughput" }, 4), ["fast", "fast", "fast", "fast"]);
      if (form === "framed") {
        // Its first byte comes at once.
        assert.deepEqual(await fleet.served({ sort: "latency" }, 2), ["slow", "slow"]);
      }
    });

    test("cut-offs put last who misses them, and nobody out", async () => {
      await using fleet = await fleetOf(`cutoffs-${form}`, form, {
        slow: [SLOW_MS, SLOW_MS],
        fast: [0, 0],
        unseen: [0, 0],
      });
      await fleet.served({ only: ["slow", "fast"] }, 4);
      const limitS = SLOW_MS / 2 / 1000;
      for (const preferences of [
        { preferred_max_latency: limitS },
        { preferred_max_latency: { p50: limitS, p99: limitS } },
        { preferred_min_throughput: TOKENS / limitS },
      ]) {
        assert.deepEqual(await fleet.served(preferences, 3), ["fast", "fast", "fast"]);
        assert.deepEqual(await fleet.served({ ...preferences, only: ["slow"] }, 1), ["slow"]);
      }
      const late = { preferred_max_latency: limitS };
      const order = ["slow", "unseen"];
      assert.deepEqual(await fleet.served({ ...late, order, ignore: ["fast"] }, 1), ["unseen"]);
      // Now that one was seen, too.
      const both = await fleet.served(late, 4);
      assert.deepEqual([...new Set(both)].toSorted(), ["fast", "unseen"]);
    });
  });
}
