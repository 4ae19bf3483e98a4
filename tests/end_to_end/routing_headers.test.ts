import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { endRelay, startRelay } from "../support/admin_view.ts";
import { FORMS } from "../support/link_form.ts";
import type { RelayProgram } from "../support/program.ts";
import { failureCode, type RawResponse } from "../support/raw_client_response.ts";
import { RoutingStand, routed, type Script, says } from "../support/routing_stand.ts";

/** What headers say to the relay, what it says in them, and which of them a worker sees: routing.md, 1 and 4. */

let relay: RelayProgram;

before(async () => {
  relay = await startRelay(["--max-worker-handshakes=1000", "--queue-timeout=200ms"]);
});

after(async () => {
  await endRelay(relay);
});

const done = says(200, "done");
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

for (const form of FORMS) {
  describe(`over a ${form} link`, () => {
    test("every answer says who gave it", async () => {
      await using stand = new RoutingStand(relay, form);
      const answers: Record<string, Script> = {
        "an answer": done,
        "an error of the backend": says(418, "no"),
        "an answer without a body": says(204, ""),
        "a stream": says(200, "data: 1\n\n", [["content-type", "text/event-stream"]]),
        "a worker that lies": says(200, "mine", [
          ["x-signalbox-provider", "other"],
          ["x-signalbox-warning", "none"],
        ]),
      };
      let script: Script = done;
      await stand.worker("home/4090", (...args) => script(...args), { worker_name: "größer 1" });
      for (const [name, answer] of Object.entries(answers)) {
        script = answer;
        const response = await stand.ask();
        assert.deepEqual(
          routed(response),
          { provider: "home/4090", model: stand.model, attempts: "1" },
          name,
        );
        assert.equal(response.headers.get("x-signalbox-worker"), "gr%C3%B6%C3%9Fer 1");
        assert.match(response.headers.get("x-signalbox-request-id")!, UUID);
        assert.equal(response.headers.has("x-signalbox-warning"), false);
        assert.equal(response.headers.has("x-signalbox-route"), false);
      }
    });

    test("a failure says who had the request, when somebody had", async () => {
      await using stand = new RoutingStand(relay, form);
      await stand.worker("p", (_request, worker) => worker.die());
      const lost = await stand.ask({}, { path: "/v1/files" });
      assert.equal(failureCode(lost), "worker_lost");
      assert.deepEqual(routed(lost), { provider: "p", model: stand.model, attempts: "1" });
      assert.equal(lost.headers.get("x-signalbox-worker"), "at p");
      const refused = await stand.ask({ model: "nobody's" });
      assert.deepEqual(routed(refused), { provider: undefined, model: undefined, attempts: undefined });
      assert.match(refused.headers.get("x-signalbox-request-id")!, UUID);
    });

    test("without a model none is named", async () => {
      await using stand = new RoutingStand(relay, form);
      await stand.worker("p", done, { endpoint_prefixes: [`/${stand.model}`] });
      const response = await stand.ask('{"n":1}', { path: `/${stand.model}/x` });
      assert.deepEqual(routed(response), { provider: "p", model: undefined, attempts: "1" });
    });

    test("what is meant for the relay stays there", async () => {
      await using stand = new RoutingStand(relay, form);
      const worker = await stand.worker("p", done);
      const headers = {
        ...{ "x-model": stand.model, "x-provider": "p", "X-Provider-Hint": "1", "x-model-provider": "p" },
        ...{ "x-signalbox-anything": "1", "x-session-id": "s-1", "x-mine": "stays" },
      };
      assert.equal((await stand.ask("{}", { headers })).body, "done");
      const { head } = worker.requests[0]!;
      const names = head.headers.map(([name]) => name.toLowerCase());
      assert.deepEqual(
        names.filter((name) => /^x-(model|provider|signalbox)/.test(name)),
        [],
      );
      if (form === "framed") assert.ok(names.includes("x-mine") && names.includes("x-session-id"));
    });
  });
}

describe("preferences", () => {
  test("in a header: an object, or names; the body's object goes first, anything else in it is the backend's", async () => {
    await using stand = new RoutingStand(relay);
    await stand.worker("home/4090", says(200, "home"));
    await stand.worker("lab", says(200, "lab"));
    const cases: [header: string, provider: unknown, wanted: string][] = [
      ["lab", undefined, "lab"],
      [" nobody , home ", undefined, "home"],
      ['{"ignore":["home"]}', undefined, "lab"],
      ['{"order":["lab","home"]}', "lab", "lab"],
      ["home", "lab", "home"],
      ["home", ["lab"], "home"],
      ["home", { only: ["lab"] }, "lab"],
      [",", { only: ["lab"] }, "lab"],
    ];
    for (const [header, provider, wanted] of cases) {
      // Twice, so that turns alone do not explain it.
      for (let time = 0; time < 2; time++) {
        const response = await stand.ask({ provider }, { headers: { "x-provider": header } });
        assert.equal(response.body, wanted, `${header} ${JSON.stringify(provider)}`);
      }
    }
  });

  test("misspelt keys are warned of, on answers and on refusals", async () => {
    await using stand = new RoutingStand(relay);
    await stand.worker("p", done);
    const typo = 'provider has an unknown member "onyl": did you mean "only"?';
    const warnings = ({ headers }: RawResponse) => headers.get("x-signalbox-warning");
    assert.equal(warnings(await stand.ask({ provider: { onyl: ["q"] } })), typo);
    const header = { "x-provider": '{"onyl":["q"],"sort":{"bye":"load"}}' };
    assert.equal(
      warnings(await stand.ask({}, { headers: header })),
      `${typo}; provider.sort has an unknown member "bye": did you mean "by"?`,
    );
    const refused = await stand.ask({ provider: { onyl: ["q"], only: ["q"] } });
    assert.deepEqual([refused.status, warnings(refused)], [404, typo]);
    const unknown = await stand.ask({ model: "nobody's", provider: { onyl: ["q"] } });
    assert.deepEqual([unknown.status, warnings(unknown)], [404, typo]);
  });

  test("a warning cannot become another header, and is bounded", async () => {
    await using stand = new RoutingStand(relay);
    await stand.worker("p", done);
    const provider: Record<string, number> = { "a\r\nset-cookie: b=1": 1, "é\u0000": 2 };
    for (let number = 0; number < 1000; number++) provider[`unknown-${number}-${"x".repeat(300)}`] = number;
    const response = await stand.ask({ provider });
    assert.deepEqual([response.status, response.headers.has("set-cookie")], [200, false]);
    const warning = response.headers.get("x-signalbox-warning")!;
    assert.match(warning, /^[\x20-\x7e]+$/);
    assert.ok(warning.length > 100 && warning.length < 4096, `${warning.length}`);
  });

  test("what cannot be understood is 400, in the dialect of the path", async () => {
    await using stand = new RoutingStand(relay);
    const worker = await stand.worker("p", done);
    const message =
      'A routing preference cannot be understood: provider.sort must be one of price, throughput, latency, load, exacto, found "cheap"';
    const param = "provider.sort";
    const code = "invalid_preference";
    const type = "invalid_request_error";
    const ask = async (path: string, headers = {}) => {
      const response = await stand.ask({ provider: { sort: "cheap" } }, { path, headers });
      assert.equal(response.status, 400);
      const { request_id: id = "", ...body } = JSON.parse(response.body);
      assert.ok(id === "" || id === response.headers.get("x-signalbox-request-id"));
      return body;
    };
    assert.deepEqual(await ask("/v1/chat/completions"), { error: { message, type, code, param } });
    assert.deepEqual(await ask("/v1/messages"), { type: "error", error: { type, message, code } });
    assert.deepEqual(await ask("/api/chat"), { error: message, code });
    assert.deepEqual(await ask("/v1/chat/completions", { "x-openrouter-title": "t" }), {
      error: { code: 400, message, metadata: { error_type: "invalid_request", code } },
    });
    for (const [header, found] of [
      ["{only", "{only"],
      ['["p"]', '[\\"p\\"]'],
      ['{"only":["p"]', '{\\"only\\":[\\"p\\"]'],
    ]) {
      const response = await stand.ask({}, { headers: { "x-provider": header! } });
      assert.equal(response.status, 400);
      assert.ok(response.body.includes(`X-Provider must be a JSON object`), response.body);
      assert.equal(JSON.parse(response.body).error.param, "X-Provider");
      assert.ok(JSON.parse(response.body).error.message.endsWith(`found "${found}"`), response.body);
    }
    const models = await stand.ask({ models: "one" });
    assert.deepEqual([models.status, JSON.parse(models.body).error.param], [400, "models"]);
    assert.equal(worker.requests.length, 0);
  });
});
