import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { endRelay, lineHas, startRelay } from "../support/admin_view.ts";
import { FORMS } from "../support/link_form.ts";
import type { RelayProgram } from "../support/program.ts";
import { RoutingStand, routed, says } from "../support/routing_stand.ts";
import { until } from "../support/until.ts";

/** On which statuses of a backend a request goes to the next worker, and for which requests: routing.md, 4. */

const FALLBACK = [429, 500, 502, 503, 504, 529];
const FINAL = [200, 201, 400, 401, 404, 408, 409, 413, 422, 501, 505];
const ORDER = { provider: { order: ["first", "second"] } };

let relay: RelayProgram;

before(async () => {
  relay = await startRelay(["--max-worker-handshakes=1000"]);
});

after(async () => {
  await endRelay(relay);
});

for (const form of FORMS) {
  describe(`over ${form} links`, () => {
    test("with order these statuses go to the next worker, and no others", async () => {
      await using stand = new RoutingStand(relay, form);
      let status = 0;
      await stand.worker("first", (request) => request.answer(status, "from the first"));
      const second = await stand.worker("second", says(200, "from the second"));
      for (status of FALLBACK) {
        const response = await stand.ask(ORDER);
        assert.deepEqual([response.status, response.body], [200, "from the second"], `${status}`);
        assert.deepEqual(routed(response), { provider: "second", model: stand.model, attempts: "2" });
      }
      assert.equal(second.requests.length, FALLBACK.length);
      for (status of FINAL) {
        const response = await stand.ask(ORDER);
        assert.deepEqual([response.status, response.body], [status, "from the first"]);
        assert.equal(routed(response).attempts, "1");
      }
      assert.equal(second.requests.length, FALLBACK.length);
    });

    test("what may not be done twice goes on only when the first says that it did nothing", async () => {
      await using stand = new RoutingStand(relay, form);
      let status = 0;
      await stand.worker("first", (request) => request.answer(status, "from the first"));
      await stand.worker("second", says(200, "from the second"));
      for (status of FALLBACK) {
        const stored = await stand.ask({ ...ORDER, store: true }, { path: "/v1/responses" });
        const expected = [429, 503, 529].includes(status)
          ? [200, "from the second"]
          : [status, "from the first"];
        assert.deepEqual([stored.status, stored.body], expected, `${status}`);
      }
    });

    test("without order and models every status is the client's", async () => {
      await using stand = new RoutingStand(relay, form);
      let status = 0;
      await stand.worker("first", (request) => request.answer(status, "from the first"));
      const spare = await stand.worker("second", says(200, "from the second"), { models: ["*"] });
      for (status of FALLBACK) {
        for (const provider of [
          undefined,
          { only: ["first", "second"] },
          { sort: "load" },
          { ignore: ["x"] },
        ]) {
          const response = await stand.ask({ provider });
          assert.deepEqual([response.status, response.body], [status, "from the first"]);
        }
      }
      assert.equal(spare.requests.length, 0);
    });

    test("with models the next model is tried, at the same worker too", async () => {
      await using stand = new RoutingStand(relay, form);
      const [one, two] = [`${stand.model}-one`, `${stand.model}-two`];
      const seen: unknown[] = [];
      await stand.worker(
        "only",
        (request) => {
          const { model } = JSON.parse(request.body);
          seen.push(model);
          request.answer(model === one ? 503 : 200, `by ${model}`);
        },
        { models: [one, two] },
      );
      const response = await stand.ask({ model: one, models: [two] });
      assert.deepEqual([response.status, response.body], [200, `by ${two}`]);
      assert.deepEqual(routed(response), { provider: "only", model: two, attempts: "2" });
      assert.deepEqual(seen, [one, two]);
    });

    test("the last answer is the client's: status, headers and body as they came", async () => {
      await using stand = new RoutingStand(relay, form);
      await stand.worker("first", says(429, "from the first", [["x-from", "first"]]));
      const body = `{"odd" : "é\u2028", "list":[1,2 ]}\n`;
      const fields: [string, string][] = [
        ["content-type", "application/json; charset=utf-8"],
        ["retry-after", "7"],
        ["x-from", "second"],
        ["set-cookie", "a=1"],
      ];
      await stand.worker("second", says(529, body, fields));
      const response = await stand.ask(ORDER);
      assert.deepEqual([response.status, Buffer.from(response.body, "latin1").toString()], [529, body]);
      for (const [name, value] of fields) assert.equal(response.headers.get(name), value);
      assert.deepEqual(routed(response), { provider: "second", model: stand.model, attempts: "2" });
    });

    test("at most four workers are tried, each once", async () => {
      await using stand = new RoutingStand(relay, form);
      const workers = [];
      for (let number = 1; number <= 6; number++)
        workers.push(await stand.worker(`p${number}`, says(500, `from p${number}`)));
      const order = ["p3", "p1", "p6", "p2", "p5", "p4"];
      const response = await stand.ask({ provider: { order } });
      assert.deepEqual([response.status, response.body], [500, "from p2"]);
      assert.deepEqual(routed(response), { provider: "p2", model: stand.model, attempts: "4" });
      assert.deepEqual(
        workers.map(({ requests }) => requests.length),
        [1, 1, 1, 0, 0, 1],
      );
    });

    test("without fallbacks it stays within the order", async () => {
      await using stand = new RoutingStand(relay, form);
      await stand.worker("first", says(503, "from the first"));
      await stand.worker("second", says(502, "from the second"));
      const third = await stand.worker("third", says(200, "from the third"));
      const provider = { order: ["first", "second"], allow_fallbacks: false };
      const response = await stand.ask({ provider });
      assert.deepEqual([response.status, response.body], [502, "from the second"]);
      assert.equal(third.requests.length, 0);
      assert.equal((await stand.ask(ORDER)).body, "from the third");
    });

    test("preferences in a header count as those in a body, for any method", async () => {
      await using stand = new RoutingStand(relay, form);
      await stand.worker("first", says(503, "from the first"));
      const second = await stand.worker("second", says(200, "from the second"));
      const headers = { "x-model": stand.model, "x-provider": JSON.stringify(ORDER.provider) };
      const response = await stand.ask("", { method: "GET", path: "/x", headers });
      assert.deepEqual([response.status, routed(response).attempts], [200, "2"]);
      const close = { ...headers, connection: "close" };
      const client = await stand.send("", { method: "HEAD", path: "/x", headers: close });
      await client.isClosed();
      assert.match(client.received, /^HTTP\/1\.1 200 .*x-signalbox-provider: second\r\n/is);
      assert.deepEqual(
        second.requests.map(({ head }) => head.method),
        ["GET", "HEAD"],
      );
    });

    test("the log line names who answered, and how many tried", async () => {
      await using stand = new RoutingStand(relay, form);
      await stand.worker("first", says(503, "no"));
      await stand.worker("second", says(200, "yes"));
      const response = await stand.ask(ORDER);
      const id = response.headers.get("x-signalbox-request-id");
      const line = () => relay.stderr.split("\n").find((text) => text.includes(`request_id=${id}`)) ?? "";
      await until(() => line() !== "", "the log line");
      assert.match(
        line(),
        new RegExp(` status=200 model=${stand.model} provider=second worker="at second" `),
      );
      assert.match(line(), / bytes_out=3 .* attempts=2 request_id=/);
      assert.doesNotMatch(line(), /failure=/);
    });
  });
}

test("a busy worker is waited for rather than that the first answer is passed on", async () => {
  await using stand = new RoutingStand(relay);
  await stand.worker("first", says(503, "no"));
  const second = await stand.worker("second");
  await stand.send({ provider: { only: ["second"] } });
  const held = await second.next();
  const client = await stand.send(ORDER);
  await lineHas(relay, 1);
  assert.equal(client.received, "");
  held.answer(200, "done");
  (await second.next()).answer(200, "yes");
  assert.equal((await client.response()).body, "yes");
});

describe("a relay with --fallback-on", () => {
  let strict: RelayProgram;
  before(async () => {
    strict = await startRelay(["--fallback-on=503,429"]);
  });
  after(async () => {
    await endRelay(strict);
  });

  for (const form of FORMS) {
    test(`goes on for these statuses whatever the request says, over ${form} links`, async () => {
      await using stand = new RoutingStand(strict, form);
      let status = 0;
      await stand.worker("first", (request) => request.answer(status, "from the first"));
      await stand.worker("second", says(200, "from the second"), { models: ["*"] });
      for (status of FALLBACK) {
        const response = await stand.ask();
        const goesOn = status === 503 || status === 429;
        assert.deepEqual(
          [response.status, routed(response).attempts],
          goesOn ? [200, "2"] : [status, "1"],
          `${status}`,
        );
        assert.equal((await stand.ask(ORDER)).status, 200);
      }
    });
  }
});
