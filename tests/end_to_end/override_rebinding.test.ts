import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Canary } from "../support/canary.ts";
import { endpointAt, listed, OverrideStand, said } from "../support/override_stand.ts";
import { RawBackend } from "../support/raw_backend.ts";
import { until } from "../support/until.ts";

/**
 * A name whose addresses change from question to question, with a time to live of 0: the address that was checked is
 * the one that is dialled. Each test has an endpoint of its own, as addresses are kept for 30 s.
 */

const ENDPOINTS = ["first", "second", "mixed", "late"];
const keyOf = (name: string) => `sbx_key-for-the-endpoint-${name}`;
const each = <T>(value: (name: string) => T) =>
  Object.fromEntries(ENDPOINTS.map((name) => [name, value(name)]));

const GOOD = ["127.0.0.1"];
const BAD = [Canary.ADDRESS];

let provider: RawBackend;
let canary: Canary;
let stand: OverrideStand;

before(async () => {
  provider = await RawBackend.start((request) => request.reply(200, "provider", { connection: "close" }));
  // On the provider's port too, at the address that is not open.
  canary = await Canary.start([provider.port]);
  const endpoint = ENDPOINTS.map((name) => listed(provider.port, { name, allow_private: ["127.0.0.1/32"] }));
  stand = await OverrideStand.start(
    { endpoint },
    { keys: each(keyOf), scopes: each(() => ["override"]), limits: each((name) => [name]) },
  );
});

after(async () => {
  for (const one of [stand, canary, provider]) await one?.[Symbol.asyncDispose]();
});

async function ask(name: string): Promise<string> {
  const headers = { authorization: `Bearer ${keyOf(name)}` };
  return said(await stand.ask(endpointAt(provider.port), { headers }));
}

test("who answers another address after the check is not asked again, and the checked one is dialled", async () => {
  let questions = 0;
  // Two are one lookup: A and AAAA.
  stand.resolves = () => (questions++ < 2 ? GOOD : BAD);
  for (let request = 1; request <= 5; request++) assert.equal(await ask("first"), "200");
  assert.equal(questions, 2);
  assert.equal(provider.accepted, 5);
  assert.equal(canary.connections, 0);
});

test("an endpoint that asks after the flip is refused, the other keeps what was checked", async () => {
  stand.resolves = () => BAD;
  assert.equal(await ask("second"), "502 provider_unreachable");
  assert.equal(await ask("first"), "200");
  assert.equal(canary.connections, 0);
});

test("one address that may not be dialled refuses the others", async () => {
  stand.resolves = () => [...GOOD, ...BAD];
  assert.equal(await ask("mixed"), "502 provider_unreachable");
});

test("a refusal is not kept for long: the name is asked again", async () => {
  stand.resolves = () => BAD;
  assert.equal(await ask("late"), "502 provider_unreachable");
  stand.resolves = () => GOOD;
  const answers: string[] = [];
  const asking = (async () => {
    while (answers.at(-1) !== "200") answers.push(await ask("late"));
  })();
  await until(() => answers.at(-1) === "200", "the endpoint is dialled");
  await asking;
  assert.deepEqual([...new Set(answers)], ["502 provider_unreachable", "200"]);
  assert.equal(canary.connections, 0);
  await stand.isWorkerUntouched();
});
