import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { explain } from "../../../server/routing/explain.ts";
import { refusal } from "../../../server/routing/refusal.ts";
import type { Candidate } from "../../../server/routing/types.ts";
import { type Situation, situations } from "./random_situations.ts";
import { type Behaviour, ServeStand } from "./serve_stand.ts";

/** A request is sent at most four times. */
const TRIES_MAX = 4;

/** What `serve` is to do with a request, by the decision made beforehand on a copy of the fleet. */
interface Prediction {
  /** Who gets it, one after the other. */
  tried: string[];
  end: "answered" | "waits" | "failed";
}

function predict(
  candidates: readonly Candidate[],
  behaviour: (id: string) => Behaviour,
  fallsBack: boolean,
): Prediction {
  const tried: string[] = [];
  const refused = new Set<string>();
  for (const [at, { worker, model = "", free }] of candidates.entries()) {
    if (refused.has(worker.id)) continue;
    if (tried.length === TRIES_MAX) return { tried, end: "failed" };
    if (!free) return { tried, end: "waits" };
    tried.push(`${worker.id} ${model}`);
    const answer = behaviour(worker.id);
    if (answer === "refuses") refused.add(worker.id);
    const isLast = tried.length === TRIES_MAX || at === candidates.length - 1;
    if (answer === 200 || (answer === 503 && (isLast || !fallsBack))) return { tried, end: "answered" };
  }
  return { tried, end: "failed" };
}

/** Asks, and compares what happens with what was predicted. */
async function check(stand: ServeStand, facts: Situation["request"]): Promise<string> {
  const { asked, response } = stand.ask(facts);
  const snapshot = stand.copy();
  const { decision, candidates } = explain(asked, snapshot);
  const fallsBack = asked.preferences?.order !== undefined;
  const { tried, end } = predict(candidates, (id) => stand.behaviour(id), fallsBack);
  stand.tried = [];
  const answer = response();
  const waits = await waitsInLine(stand, answer);
  assert.deepEqual(stand.tried, tried);
  if (decision.type === "refuse") {
    const { code, status } = refusal(decision, asked, snapshot);
    // Ollama's paths have the code beside the text.
    const body = (await (await answer).json()) as { code?: string; error: { code?: string } };
    assert.deepEqual([(await answer).status, body.error.code ?? body.code], [status, code]);
    return "refused";
  }
  const wasExpected = end === "waits" || candidates.length === 0;
  assert.equal(waits, wasExpected);
  if (waits) stand.clock.advance(stand.settings.queueTimeoutMs);
  const { status, headers } = await answer;
  if (waits && tried.length === 0) assert.equal(status, 503);
  if (end === "answered") {
    const [id, model] = tried.at(-1)!.split(" ");
    assert.equal(status, stand.behaviour(id!));
    assert.equal(headers.get("x-signalbox-model") ?? "", model);
    assert.equal(headers.get("x-signalbox-attempts"), String(tried.length));
  }
  return waits ? "waited" : tried.length > 1 ? `${end} by another` : end;
}

/** Whether a request comes to wait before it is answered. */
async function waitsInLine(stand: ServeStand, answer: Promise<Response>): Promise<boolean> {
  let isAnswered = false;
  answer.finally(() => {
    isAnswered = true;
  });
  while (!isAnswered && stand.line.length === 0) await new Promise((turn) => setImmediate(turn));
  return !isAnswered;
}

test("serve does what decide() said, with 1,000 fleets and several requests each", async () => {
  const seen = new Map<string, number>();
  const behaviours = fc.array(fc.constantFrom<Behaviour>(200, "refuses", "refuses", 503), {
    minLength: 1,
    maxLength: 7,
  });
  await fc.assert(
    fc.asyncProperty(situations, situations, behaviours, async (situation, other, planned) => {
      const requests = [situation.request, other.request, situation.request];
      // After an error answer the same worker may get another model, and its turn has changed meanwhile.
      const answers = requests.some(({ models }) => models) ? planned.map(withoutErrors) : planned;
      const stand = new ServeStand(situation, answers);
      for (const facts of requests) {
        const what = await check(stand, facts);
        seen.set(what, (seen.get(what) ?? 0) + 1);
      }
      assert.equal(stand.line.length, 0);
    }),
    { numRuns: 1_000 },
  );
  for (const what of ["answered", "answered by another", "refused", "waited", "failed"])
    assert.ok((seen.get(what) ?? 0) > 25, `${what}: ${seen.get(what)}`);
});

const withoutErrors = (behaviour: Behaviour): Behaviour => (behaviour === 503 ? 200 : behaviour);
