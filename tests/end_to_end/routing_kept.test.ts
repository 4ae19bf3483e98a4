import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { after, before, describe, test } from "node:test";
import { endRelay, lineHas, startRelay, workersWhen } from "../support/admin_view.ts";
import { FORMS, LINK_FORM, type LinkForm } from "../support/link_form.ts";
import type { RelayProgram } from "../support/program.ts";
import type { RequestText } from "../support/raw_client.ts";
import { RoutingStand, routed, type Script } from "../support/routing_stand.ts";
import type { ScriptedRequest, ScriptedWorker } from "../support/scripted_worker.ts";
import { until } from "../support/until.ts";

/** A request about something that one worker keeps goes to that worker: routing.md, 3. */

let relay: RelayProgram;

before(async () => {
  relay = await startRelay(["--max-worker-handshakes=1000", "--queue-timeout=2s"]);
});

after(async () => {
  await endRelay(relay);
});

const PROVIDERS = ["p", "q", "r"];
const JSON_TYPE: [string, string][] = [["content-type", "application/json"]];
const EVENTS_TYPE: [string, string][] = [["content-type", "text/event-stream"]];

/** Three workers that give an id to whatever they are asked for. */
async function keepers(form: LinkForm = LINK_FORM, register: object = { max_concurrent: 4 }) {
  const stand = new RoutingStand(relay, form);
  const workers = new Map<string, ScriptedWorker>();
  let given = 0;
  const newId = () => `${stand.model}_${++given}`;
  const serve: Script = (request) => {
    request.answer(200, `{"object":"thing", "id" : "${newId()}"}`, JSON_TYPE);
  };
  for (const provider of PROVIDERS) workers.set(provider, await stand.worker(provider, serve, register));
  const ask = (path: string, rest: RequestText = {}, body: object | string = {}) =>
    stand.ask(body, { path, ...rest, headers: { "x-model": stand.model, ...rest.headers } });
  return {
    stand,
    workers,
    newId,
    ask,
    /** Make a thing: its id, and who keeps it. */
    async make(path: string, rest?: RequestText, body?: object | string) {
      const response = await ask(path, rest, body);
      return { id: JSON.parse(response.body).id as string, keeper: routed(response).provider! };
    },
    async served(path: string, rest?: RequestText, body?: object) {
      return routed(await ask(path, rest, body)).provider;
    },
    [Symbol.asyncDispose]: () => stand[Symbol.asyncDispose](),
  };
}

const GET = { method: "GET" };

for (const form of FORMS) {
  describe(`over ${form} links`, () => {
    test("a response: got, deleted, cancelled, gone on from", async () => {
      await using fleet = await keepers(form);
      // More rounds than workers: each of them has been the keeper, and the others' turn would have come.
      for (let round = 0; round < 4; round++) {
        const { id, keeper } = await fleet.make("/v1/responses");
        const path = `/v1/responses/${id}`;
        for (let time = 0; time < 3; time++) {
          assert.equal(await fleet.served(path, GET), keeper);
          assert.equal(await fleet.served(`${path}/input_items?limit=1`, GET), keeper);
          assert.equal(await fleet.served(`${path}/cancel`), keeper);
          assert.equal(await fleet.served("/v1/responses", {}, { previous_response_id: id }), keeper);
        }
        assert.equal(await fleet.served(path, { method: "DELETE" }), keeper);
      }
      const turns = new Set<unknown>();
      for (let time = 0; time < 6; time++) turns.add(await fleet.served("/v1/responses/unknown", GET));
      assert.deepEqual([...turns].toSorted(), PROVIDERS);
    });

    test("a file, and a batch of it", async () => {
      await using fleet = await keepers(form);
      const upload = { headers: { "content-type": "multipart/form-data; boundary=b" } };
      const body = '--b\r\ncontent-disposition: form-data; name="file"; filename="f"\r\n\r\nx\r\n--b--\r\n';
      for (let round = 0; round < 4; round++) {
        const { id, keeper } = await fleet.make("/v1/files", upload, body);
        for (let time = 0; time < 3; time++) {
          assert.equal(await fleet.served(`/v1/files/${id}`, GET), keeper);
          assert.equal(await fleet.served(`/v1/files/${id}/content`, GET), keeper);
          assert.equal(await fleet.served(`/v1/files/${encodeURIComponent(id)}`, GET), keeper);
          assert.equal(await fleet.served("/v1/batches", {}, { input_file_id: id }), keeper);
        }
      }
    });

    test("a streamed response is known before its end", async () => {
      await using fleet = await keepers(form);
      for (const worker of fleet.workers.values()) worker.onRequest = undefined;
      for (let round = 0; round < 3; round++) {
        const id = fleet.newId();
        const client = await fleet.stand.send({ stream: true }, { path: "/v1/responses" });
        const [worker, request] = await newest(fleet.workers);
        request.respond(200, EVENTS_TYPE);
        const event = { type: "response.created", response: { object: "response", id } };
        request.exchange.write(Buffer.from(`event: response.created\ndata: ${JSON.stringify(event)}\n\n`));
        worker.link.flush();
        await client.receives(id);
        for (let time = 0; time < 3; time++) {
          const follower = await fleet.stand.send("", {
            ...GET,
            path: `/v1/responses/${id}`,
            headers: { "x-model": fleet.stand.model },
          });
          const [asked, follow] = await newest(fleet.workers);
          assert.equal(asked, worker);
          follow.answer(200, "here");
          assert.equal((await follower.response()).body, "here");
        }
        request.exchange.end();
        assert.equal((await client.response()).complete, true);
      }
    });

    test("its keeper is waited for, though others are free", async () => {
      await using fleet = await keepers(form, { max_concurrent: 1 });
      const { id, keeper } = await fleet.make("/v1/responses");
      const worker = fleet.workers.get(keeper)!;
      worker.onRequest = undefined;
      const had = worker.requests.length;
      await fleet.stand.send({ provider: { only: [keeper] } });
      await until(() => worker.requests.length > had, "its keeper is busy");
      const follower = await fleet.stand.send({ previous_response_id: id }, { path: "/v1/responses" });
      await lineHas(relay, 1);
      assert.notEqual(await fleet.served("/v1/responses"), keeper);
      await lineHas(relay, 1);
      worker.requests.at(-1)!.answer(200, "free");
      await until(() => worker.requests.length > had + 1, "the follow-up at its keeper");
      worker.requests.at(-1)!.answer(200, "the follow-up");
      assert.equal((await follower.response()).body, "the follow-up");
    });

    test("somebody else is asked when its keeper has left, also by who waits for it", async () => {
      await using fleet = await keepers(form, { max_concurrent: 1 });
      const { id, keeper } = await fleet.make("/v1/responses");
      const worker = fleet.workers.get(keeper)!;
      worker.onRequest = undefined;
      const had = worker.requests.length;
      await fleet.stand.send({ provider: { only: [keeper] } }, { path: "/v1/files" });
      await until(() => worker.requests.length > had, "its keeper is busy");
      const waiting = await fleet.stand.send({ previous_response_id: id }, { path: "/v1/responses" });
      await lineHas(relay, 1);
      await worker.die();
      assert.notEqual(routed(await waiting.response()).provider, keeper);
      assert.notEqual(await fleet.served(`/v1/responses/${id}`, GET), keeper);
    });
  });
}

const taken = new WeakSet<ScriptedRequest>();

/** The one request that a worker got and no call gave before. */
async function newest(workers: ReadonlyMap<string, ScriptedWorker>) {
  const fresh = () =>
    [...workers.values()].flatMap((worker) =>
      worker.requests.filter((request) => !taken.has(request)).map((request) => [worker, request] as const),
    );
  await until(() => fresh().length > 0, "a request at a worker");
  const [found, ...more] = fresh();
  assert.equal(more.length, 0);
  taken.add(found![1]);
  return found!;
}

test("a preference goes before it, and without one a model is not needed", async () => {
  await using fleet = await keepers();
  await workersWhen(relay, (workers) => workers.length === PROVIDERS.length);
  const { id, keeper } = await fleet.make("/v1/responses");
  for (let time = 0; time < 4; time++) {
    const response = await fleet.stand.ask("", { ...GET, path: `/v1/responses/${id}` });
    assert.equal(routed(response).provider, keeper);
  }
  const other = PROVIDERS.find((provider) => provider !== keeper)!;
  const headers = { "x-provider": other };
  assert.equal(await fleet.served(`/v1/responses/${id}`, { ...GET, headers }), other);
});
