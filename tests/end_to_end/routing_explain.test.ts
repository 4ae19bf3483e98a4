import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { endRelay } from "../support/admin_view.ts";
import { KeysFile } from "../support/keys_file.ts";
import { FORMS } from "../support/link_form.ts";
import { RelayProgram } from "../support/program.ts";
import { failureCode, type RawResponse } from "../support/raw_client_response.ts";
import { RoutingStand, says } from "../support/routing_stand.ts";

/** `X-Signalbox-Explain: 1`: who may see a decision, how it looks, and that the credential stays at the relay. */

const TOKEN = "the-admin-token";
const EXPLAIN = { "x-signalbox-explain": "1" };
const ADMIN = { ...EXPLAIN, authorization: `Bearer ${TOKEN}` };

const keys = new KeysFile(
  { plain: "key-plain", explains: "key-explains", only: "key-only" },
  { explains: ["inference", "explain"], only: ["explain"] },
);
let open: RelayProgram;
let guarded: RelayProgram;

before(async () => {
  const env = { MODELRELAY_ADMIN_TOKEN: TOKEN };
  const flags = ["--max-worker-handshakes=1000", "--queue-timeout=200ms"];
  [open, guarded] = await Promise.all([
    RelayProgram.start(flags, { env }),
    RelayProgram.start([...flags, `--api-keys-file=${keys.path}`], { env }),
  ]);
});

after(async () => {
  await endRelay(open);
  await endRelay(guarded);
  keys[Symbol.dispose]();
});

function routeOf({ headers }: RawResponse) {
  const text = headers.get("x-signalbox-route");
  assert.ok(text !== undefined, "the decision is told");
  assert.match(text, /^[\x20-\x7e]+$/);
  return JSON.parse(text);
}

describe("the decision", () => {
  test("stands on an answer: candidates, what sets them behind each other, the funnel", async () => {
    await using stand = new RoutingStand(open);
    await stand.worker("home/é", says(200, "done"), { worker_name: "w 1" });
    await stand.worker("lab", says(200, "done"), { worker_name: "w 2" });
    await stand.worker("attic", says(200, "done"));
    const provider = { order: ["home", "lab"], allow_fallbacks: false };
    const response = await stand.ask({ provider }, { headers: ADMIN });
    assert.equal(response.body, "done");
    const { funnel, ...route } = routeOf(response);
    const { model } = stand;
    assert.deepEqual(route, {
      decision: "dispatch",
      candidates: [
        { worker: "w 1", provider: "home/é", model },
        { worker: "w 2", provider: "lab", model, behind_by: "order" },
      ],
    });
    assert.deepEqual([funnel.connected, funnel.only, funnel.fallbacks], [3, 3, 2]);
  });

  test("stands on a refusal, an error of a backend and a lost worker, and is the last one's", async () => {
    await using stand = new RoutingStand(open);
    await stand.worker("first", (_request, worker) => worker.die());
    await stand.worker("second", says(400, "no"));
    const failed = await stand.ask({ provider: { order: ["first"] } }, { headers: ADMIN });
    assert.deepEqual([failed.status, failed.headers.get("x-signalbox-attempts")], [400, "2"]);
    const { candidates } = routeOf(failed);
    assert.deepEqual(
      candidates.map((candidate: { provider: string }) => candidate.provider),
      ["second"],
    );
    const refused = await stand.ask({ provider: { only: ["nobody"] } }, { headers: ADMIN });
    assert.deepEqual([refused.status, failureCode(refused)], [404, "no_eligible_worker"]);
    const { funnel, ...route } = routeOf(refused);
    assert.deepEqual(route, { decision: "refuse", code: "no_eligible_worker", failed_rule: "only" });
    assert.deepEqual([funnel.model, funnel.only], [1, 0]);
    const unknown = await stand.ask({ model: "nobody's" }, { headers: ADMIN });
    assert.equal(routeOf(unknown).code, "model_not_found");
  });

  test("stands on a request that waited in vain", async () => {
    await using stand = new RoutingStand(open);
    const worker = await stand.worker("p");
    await stand.send();
    await worker.next();
    const response = await stand.ask({}, { headers: ADMIN });
    assert.equal(failureCode(response), "wait_expired");
    assert.equal(routeOf(response).decision, "wait");
  });
});

describe("who may see it", () => {
  for (const form of FORMS) {
    test(`the admin token may, and no worker sees it, over a ${form} link`, async () => {
      for (const relay of [open, guarded]) {
        await using stand = new RoutingStand(relay, form);
        const worker = await stand.worker("p", says(200, "done"));
        const key = relay === guarded ? { "x-api-key": "key-plain" } : {};
        for (const authorization of [`Bearer ${TOKEN}`, TOKEN, `bearer  ${TOKEN}`]) {
          for (const explain of ["1", "0", "yes", undefined]) {
            const headers = {
              ...key,
              authorization,
              ...(explain !== undefined && { "x-signalbox-explain": explain }),
            };
            const response = await stand.ask({}, { headers });
            assert.equal(response.status, 200);
            assert.equal(response.headers.has("x-signalbox-route"), explain === "1");
            assert.doesNotMatch(JSON.stringify(worker.requests.at(-1)!.head), new RegExp(TOKEN));
          }
        }
        assert.equal(worker.requests.length, 12);
      }
    });
  }

  test("a key with the scope may, others may not, and no worker sees one", async () => {
    await using stand = new RoutingStand(guarded);
    const worker = await stand.worker("p", says(200, "done"));
    const ask = (key: string, explain = EXPLAIN) =>
      stand.ask({}, { headers: { authorization: `Bearer ${key}`, ...explain } });
    const good = await ask("key-explains");
    assert.equal(routeOf(good).decision, "dispatch");
    const refused = await ask("key-plain");
    assert.deepEqual([refused.status, failureCode(refused)], [403, "forbidden"]);
    assert.match(refused.body, /X-Signalbox-Explain needs the admin token, or a key with the scope explain/);
    assert.equal(refused.headers.has("x-signalbox-route"), false);
    assert.deepEqual([(await ask("key-only")).status, (await ask("no-key")).status], [403, 401]);
    const unasked = await stand.ask({}, { headers: { authorization: "Bearer key-explains" } });
    assert.deepEqual([unasked.status, unasked.headers.has("x-signalbox-route")], [200, false]);
    assert.equal(worker.requests.length, 2);
    assert.doesNotMatch(JSON.stringify(worker.requests.map(({ head }) => head)), /key-/);
  });

  test("without a credential, or with a wrong one, nobody may; a backend's own key goes through", async () => {
    await using stand = new RoutingStand(open);
    const worker = await stand.worker("p", says(200, "done"));
    for (const headers of [EXPLAIN, { ...EXPLAIN, authorization: "Bearer wrong" }]) {
      const response = await stand.ask({}, { headers });
      assert.deepEqual([response.status, failureCode(response)], [403, "forbidden"]);
    }
    assert.equal(worker.requests.length, 0);
    const authorization = "Bearer the-backend's";
    assert.equal((await stand.ask({}, { headers: { authorization } })).status, 200);
    assert.equal(new Map(worker.requests[0]!.head.headers).get("authorization"), authorization);
  });
});
