import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { endRelay, startRelay, workersWhen } from "../support/admin_view.ts";
import { FORMS, LINK_FORM, type LinkForm } from "../support/link_form.ts";
import type { RelayProgram } from "../support/program.ts";
import { RoutingStand, routed, type Script } from "../support/routing_stand.ts";
import { until } from "../support/until.ts";

/** Requests of one session keep to one worker, which has their conversation at hand: routing.md, 3. */

let relay: RelayProgram;

before(async () => {
  relay = await startRelay(["--max-worker-handshakes=1000"]);
});

after(async () => {
  await endRelay(relay);
});

const PROVIDERS = ["p", "q", "r"];
const done: Script = (request) => request.answer(200, "done");

/** Three workers of one model, which take turns. */
async function threeWorkers(form: LinkForm = LINK_FORM, register: object = { max_concurrent: 4 }) {
  const stand = new RoutingStand(relay, form);
  const workers = new Map<string, Awaited<ReturnType<typeof stand.worker>>>();
  for (const provider of PROVIDERS) workers.set(provider, await stand.worker(provider, done, register));
  /** Who answers, one request after the other. */
  const served = async (times: number, body: object = {}, headers: Record<string, string> = {}) => {
    const found: string[] = [];
    for (let time = 0; time < times; time++) {
      found.push(routed(await stand.ask(body, { headers })).provider ?? "nobody");
    }
    return found;
  };
  return { stand, workers, served, [Symbol.asyncDispose]: () => stand[Symbol.asyncDispose]() };
}

function same(found: readonly string[]): string {
  assert.equal(new Set(found).size, 1, `one worker: ${found}`);
  return found[0]!;
}

for (const form of FORMS) {
  describe(`over ${form} links`, () => {
    test("a session in the body or in a header keeps to one worker, others take turns", async () => {
      await using fleet = await threeWorkers(form);
      const sessions = {
        body: () => fleet.served(1, { session_id: "in the body" }),
        header: () => fleet.served(1, {}, { "x-session-id": "in a header" }),
        both: () => fleet.served(1, { session_id: "in the body" }, { "x-session-id": "in a header" }),
      };
      const bodys = same([...(await sessions.body()), ...(await sessions.body())]);
      const headers = same([...(await sessions.header()), ...(await sessions.header())]);
      for (let round = 0; round < 4; round++) {
        assert.deepEqual(new Set(await fleet.served(3)).size > 1, true);
        assert.deepEqual(await sessions.body(), [bodys]);
        assert.deepEqual(await sessions.header(), [headers]);
        assert.deepEqual(await sessions.both(), [bodys]);
      }
      assert.deepEqual(
        (await fleet.served(9)).toSorted(),
        PROVIDERS.flatMap((p) => [p, p, p]),
      );
    });

    test("it ends when its worker leaves, and goes on at the next", async () => {
      await using fleet = await threeWorkers(form);
      const session = { session_id: "s" };
      const first = same(await fleet.served(3, session));
      await fleet.workers.get(first)!.die();
      await workersWhen(relay, (workers) =>
        workers.every(({ provider, models }) => provider !== first || !models.includes(fleet.stand.model)),
      );
      const second = same(await fleet.served(4, session));
      assert.notEqual(second, first);
      await fleet.stand.worker(first, done, { max_concurrent: 4 });
      assert.equal(same(await fleet.served(4, session)), second);
    });
  });
}

test("order and sort go before it, and it is there again without them", async () => {
  await using fleet = await threeWorkers();
  const session_id = "s";
  const home = same(await fleet.served(2, { session_id }));
  const other = PROVIDERS.find((provider) => provider !== home)!;
  const order = { session_id, provider: { order: [other] } };
  assert.equal(same(await fleet.served(3, order)), other);
  assert.equal(same(await fleet.served(3, { session_id })), home);
  const sorted = await fleet.served(6, { session_id, provider: { sort: "load" } });
  assert.deepEqual(
    sorted.toSorted(),
    PROVIDERS.flatMap((provider) => [provider, provider]),
  );
  const suffixed = await fleet.served(6, { session_id, model: `${fleet.stand.model}:floor` });
  assert.deepEqual(
    suffixed.toSorted(),
    PROVIDERS.flatMap((provider) => [provider, provider]),
  );
  assert.equal(new Set(await fleet.served(4, { session_id })).size, 1);
});

test("a filter goes before it", async () => {
  await using fleet = await threeWorkers();
  const session_id = "s";
  const home = same(await fleet.served(2, { session_id }));
  const ignored = await fleet.served(4, { session_id, provider: { ignore: [home] } });
  assert.equal(ignored.includes(home), false);
});

test("a saturated worker is not waited for", async () => {
  await using fleet = await threeWorkers("framed", { max_concurrent: 1 });
  const session = { session_id: "s" };
  const home = same(await fleet.served(2, session));
  const worker = fleet.workers.get(home)!;
  worker.onRequest = undefined;
  const before = worker.requests.length;
  const client = await fleet.stand.send(session);
  await until(() => worker.requests.length > before, "its worker is busy");
  const [other] = await fleet.served(1, session);
  assert.notEqual(other, home);
  worker.requests.at(-1)!.answer(200, "done");
  assert.equal(routed(await client.response()).provider, home);
});

test("an answer with an error binds nobody", async () => {
  await using stand = new RoutingStand(relay);
  for (const provider of PROVIDERS)
    await stand.worker(provider, (request) => request.answer(500, "no"), { max_concurrent: 4 });
  const found = [];
  for (let time = 0; time < 3; time++) found.push(routed(await stand.ask({ session_id: "s" })).provider);
  assert.deepEqual(found.toSorted(), PROVIDERS);
});

test("a session of more than 256 characters, or of another type, is warned of and not used", async () => {
  await using fleet = await threeWorkers();
  for (const session_id of ["x".repeat(257), 17, {}]) {
    assert.deepEqual((await fleet.served(3, { session_id })).toSorted(), PROVIDERS);
    const response = await fleet.stand.ask({ session_id });
    assert.match(
      response.headers.get("x-signalbox-warning") ?? "",
      /^session_id must be a text of at most 256/,
    );
    assert.equal((await fleet.served(2)).length, 2);
  }
  const longest = "x".repeat(256);
  same(await fleet.served(4, { session_id: longest }));
});
