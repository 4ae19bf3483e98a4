import assert from "node:assert/strict";
import { test } from "node:test";
import { decide } from "../../../server/routing/decide.ts";
import { refusal } from "../../../server/routing/refusal.ts";
import { fleetOf, type RequestFacts, request, type WorkerFacts } from "./fleet_builder.ts";

/** What a client is told; undefined: it is not refused. */
function refused(fleet: readonly WorkerFacts[], facts: RequestFacts, absent: readonly WorkerFacts[] = []) {
  const snapshot = fleetOf(fleet, absent);
  const decision = decide(request(facts), snapshot);
  assert.equal(decision.type, "refuse");
  const failure = refusal(decision as Extract<typeof decision, { type: "refuse" }>, request(facts), snapshot);
  return { code: failure.code, says: failure.message, ...failure.options.metadata };
}

const home = { provider: "home" };
const lab = { provider: "lab", models: ["n"] };

test("refusal() names who serves the model, a suffix aside, and who was asked for", () => {
  const only = ["cloud"];
  for (const model of ["m", "m:nitro"]) {
    const { code, available_providers, requested_providers, failed_rule } = refused([home, lab], {
      model,
      preferences: { only, order: ["x"] },
    }) as Record<string, unknown>;
    assert.deepEqual(
      [code, available_providers, requested_providers, failed_rule],
      ["no_eligible_worker", ["home"], only, "only"],
    );
  }
});

test("refusal() names whoever is there when nobody serves the model", () => {
  const told = refused([home, lab], { model: "unheard" }) as Record<string, unknown>;
  assert.deepEqual([told.code, told.available_providers], ["model_not_found", ["home", "lab"]]);
  assert.ok(!("requested_providers" in told));
});

test("refusal() blames the preference that leaves nobody of those who were there a moment ago", () => {
  const told = refused([lab], { preferences: { zdr: true } }, [home]) as Record<string, unknown>;
  assert.deepEqual([told.code, told.failed_rule], ["no_eligible_worker", "zdr"]);
});

test("refusal() is short, whatever the fleet and the request are", () => {
  const fleet = Array.from({ length: 1_000 }, (_, at) => ({ provider: `p${at}`, models: [`other-${at}`] }));
  const model = "x".repeat(256);
  const models = Array.from({ length: 64 }, (_, at) => `${at}${"y".repeat(250)}`);
  const told = refused(fleet, { model, models }) as Record<string, unknown>;
  assert.equal((told.available_providers as string[]).length, 64);
  assert.match(told.says as string, / or 57 more/);
  assert.ok((told.says as string).length < 1_500, told.says as string);
});
