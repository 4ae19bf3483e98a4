import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { endRelay, lineHas, startRelay, workersWhen } from "../support/admin_view.ts";
import { cannotOverPlain, FORMS, LINK_FORM } from "../support/link_form.ts";
import type { RelayProgram } from "../support/program.ts";
import { failureCode } from "../support/raw_client_response.ts";
import { RoutingStand, routed, says } from "../support/routing_stand.ts";
import type { ScriptedWorker } from "../support/scripted_worker.ts";
import { until } from "../support/until.ts";

/** Requests that wait for one worker, or for some, while others are free: routing.md, 3 and 4. */

/** Nothing in the line waits for a timer. */
const AT_ONCE_MS = 500;

let relay: RelayProgram;

before(async () => {
  relay = await startRelay(["--max-worker-handshakes=1000", "--queue-timeout=4s"]);
});

after(async () => {
  await endRelay(relay);
});

const done = says(200, "done");
/** The best one alone: what it costs makes it the best, whoever is busy. */
const CHEAPEST = { provider: { sort: "price", allow_fallbacks: false } };
const CHEAP = { labels: { price: { prompt: 1 } } };
const DEAR = { labels: { price: { prompt: 2 } } };

/** Fill a worker's only slot: the request that has it. */
async function busy(stand: RoutingStand, worker: ScriptedWorker, provider: string) {
  const had = worker.requests.length;
  const client = await stand.send({ provider: { only: [provider] } });
  await until(() => worker.requests.length > had, `a request at ${provider}`);
  return { client, request: worker.requests[had]! };
}

for (const form of FORMS) {
  describe(`over ${form} links`, () => {
    test("without fallbacks the best provider is waited for, and serves when it is free", async () => {
      await using stand = new RoutingStand(relay, form);
      const cheap = await stand.worker("cheap", undefined, CHEAP);
      const dear = await stand.worker("dear", done, DEAR);
      const { client, request } = await busy(stand, cheap, "cheap");
      const waiting = await stand.send(CHEAPEST);
      await lineHas(relay, 1);
      assert.equal(dear.requests.length, 0);
      if (LINK_FORM === "framed") {
        assert.equal(routed(await stand.ask({ provider: { sort: "price" } })).provider, "dear");
      }
      cheap.onRequest = done;
      request.answer(200, "first");
      assert.equal(routed(await waiting.response(0, AT_ONCE_MS)).provider, "cheap");
      assert.equal((await client.response()).body, "first");
    });

    test("who waits for a worker that leaves is looked at again", async () => {
      await using stand = new RoutingStand(relay, form);
      const cheap = await stand.worker("cheap", undefined, CHEAP);
      await stand.worker("dear", done, DEAR);
      await busy(stand, cheap, "cheap");
      const waiting = await stand.send(CHEAPEST);
      await lineHas(relay, 1);
      await cheap.die();
      assert.equal(routed(await waiting.response(0, AT_ONCE_MS)).provider, "dear");
    });

    test("who waits for a worker that gives up the model is looked at again", async () => {
      await using stand = new RoutingStand(relay, form);
      const cheap = await stand.worker("cheap", undefined, CHEAP);
      await stand.worker("dear", done, DEAR);
      await busy(stand, cheap, "cheap");
      const waiting = await stand.send(CHEAPEST);
      await lineHas(relay, 1);
      cheap.link.sendControl({ type: "models_update", models: ["another"], current_load: 1 });
      cheap.link.flush();
      assert.equal(routed(await waiting.response(0, AT_ONCE_MS)).provider, "dear");
    });

    test("who waits for a certain worker holds up nobody", async () => {
      await using stand = new RoutingStand(relay, form);
      const [p, q] = [await stand.worker("p"), await stand.worker("q")];
      const [atP, atQ] = [await busy(stand, p, "p"), await busy(stand, q, "q")];
      const forP = await stand.send({ n: 1, provider: { only: ["p"] } });
      await lineHas(relay, 1);
      const another = await stand.send({ n: 2 });
      await lineHas(relay, 2);
      q.onRequest = done;
      atQ.request.answer(200, "first");
      assert.equal(routed(await another.response(0, AT_ONCE_MS)).provider, "q");
      await lineHas(relay, 1);
      assert.equal(routed(await stand.ask({ n: 3 })).provider, "q");
      p.onRequest = done;
      atP.request.answer(200, "first");
      assert.equal(routed(await forP.response(0, AT_ONCE_MS)).provider, "p");
    });

    test("among those that a slot can serve, who came first goes first", async () => {
      await using stand = new RoutingStand(relay, form);
      const worker = await stand.worker("p");
      const { request } = await busy(stand, worker, "p");
      const clients = [];
      for (const provider of [undefined, { order: ["p", "q"] }, { sort: "load" }, { only: ["p"] }]) {
        clients.push(await stand.send({ number: clients.length, provider }));
        await lineHas(relay, clients.length);
      }
      const order: number[] = [];
      worker.onRequest = async (next) => {
        order.push(JSON.parse((await next.received()).body).number);
        next.answer(200, "done");
      };
      request.answer(200, "first");
      for (const client of clients) assert.equal((await client.response()).body, "done");
      assert.deepEqual(order, [0, 1, 2, 3]);
    });

    test("the listed provider that becomes free serves, when all of the order are busy", async () => {
      await using stand = new RoutingStand(relay, form);
      const [p, q] = [await stand.worker("p"), await stand.worker("q")];
      await busy(stand, p, "p");
      const atQ = await busy(stand, q, "q");
      const other = await stand.worker("other", done);
      const waiting = await stand.send({ provider: { order: ["p", "q"], allow_fallbacks: false } });
      await lineHas(relay, 1);
      assert.equal(other.requests.length, 0);
      q.onRequest = done;
      atQ.request.answer(200, "first");
      assert.equal(routed(await waiting.response(0, AT_ONCE_MS)).provider, "q");
    });

    test("of several models the one whose worker becomes free", async () => {
      await using stand = new RoutingStand(relay, form);
      const [one, two] = [`${stand.model}-1`, `${stand.model}-2`];
      const p = await stand.worker("p", undefined, { models: [one] });
      const q = await stand.worker("q", undefined, { models: [two] });
      await stand.send({ model: one });
      await p.next();
      await stand.send({ model: two });
      const held = await q.next();
      const waiting = await stand.send({ model: one, models: [two] });
      await lineHas(relay, 1);
      q.onRequest = async (request) => request.answer(200, (await request.received()).body);
      held.answer(200, "first");
      const response = await waiting.response(0, AT_ONCE_MS);
      assert.deepEqual(routed(response), { provider: "q", model: two, attempts: "1" });
      assert.equal(JSON.parse(response.body).model, two);
    });
  });
}

test("a client that leaves as its worker dies waits for nobody", async () => {
  for (let round = 0; round < 20; round++) {
    await using stand = new RoutingStand(relay);
    const worker = await stand.worker("p");
    const client = await stand.send();
    await worker.next();
    client.leave();
    await worker.die();
    await lineHas(relay, 0);
  }
});

test("without fallbacks a failure of the best provider is the client's", async () => {
  await using stand = new RoutingStand(relay);
  await stand.worker("cheap", (request) => request.exchange.reset("refused"), CHEAP);
  const dear = await stand.worker("dear", done, DEAR);
  const response = await stand.ask(CHEAPEST);
  assert.deepEqual([response.status, failureCode(response)], [503, "worker_refused"]);
  assert.equal(dear.requests.length, 0);
  if (LINK_FORM === "framed") {
    assert.equal(routed(await stand.ask({ provider: { sort: "price" } })).provider, "dear");
  }
});

test("without fallbacks another worker of the best provider is tried", {
  skip: cannotOverPlain("failureIsAnswer"),
}, async () => {
  await using stand = new RoutingStand(relay);
  await stand.worker("cheap", (request) => request.exchange.reset("refused"), CHEAP);
  await stand.worker("cheap", done, { ...CHEAP, worker_name: "the other" });
  await stand.worker("dear", done, DEAR);
  for (let time = 0; time < 2; time++) {
    assert.equal((await stand.ask(CHEAPEST)).headers.get("x-signalbox-worker"), "the other");
  }
});

test("a wish that nobody can meet any more waits for who left, within its grace", async () => {
  await using stand = new RoutingStand(relay);
  await stand.worker("other", done);
  await (await stand.worker("wanted", done)).die();
  await workersWhen(relay, (workers) =>
    workers.every(({ provider, models }) => provider !== "wanted" || !models.includes(stand.model)),
  );
  const waiting = await stand.send({ provider: { only: ["wanted"] } });
  await lineHas(relay, 1);
  await stand.worker("wanted", done);
  assert.equal(routed(await waiting.response(0, AT_ONCE_MS)).provider, "wanted");
});
