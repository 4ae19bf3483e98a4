import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ADMIN_TOKEN } from "../support/admin_view.ts";
import { KINDS } from "../support/override_kinds.ts";
import { CLIENT_KEY, endpointAt, HOST, KEY, listed, OverrideStand, said } from "../support/override_stand.ts";
import { RelayProgram } from "../support/program.ts";
import { RawBackend } from "../support/raw_backend.ts";
import { type RequestText, requestText } from "../support/raw_client.ts";
import { ScriptedWorker } from "../support/scripted_worker.ts";

/** Who may name an endpoint by an API key, and what becomes of others: always in the same order. */

const LIMITED_KEY = "sbx_key-that-is-limited-0123456789";

let provider: RawBackend;
let stand: OverrideStand;

before(async () => {
  provider = await RawBackend.start((request) => request.reply(200, "provider"));
  const { port } = provider;
  const other = { name: "other", patterns: [`http://other.pool.example:${port}/v1/**`] };
  stand = await OverrideStand.start(
    { endpoint: [listed(port, { provider: "oci" }), listed(port, other)] },
    { keys: { limited: LIMITED_KEY }, scopes: { limited: ["override"] }, limits: { limited: ["other"] } },
  );
});

after(async () => {
  await stand?.[Symbol.asyncDispose]();
  await provider?.[Symbol.asyncDispose]();
});

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

/** `at`: the endpoint; by default the one that is listed. */
interface Case {
  at?: string;
  headers?: RequestText["headers"];
  is: string;
}

/** The headers name one. */
const NONE = "none";
const MALFORMED = "HTTP://x";
const UNLISTED = "https://unlisted.example/v1";

const CASES: Readonly<Record<string, Case>> = {
  "a key of the scope override": { is: "200" },
  "the same as Anthropic's clients send it": { headers: { authorization: "", "x-api-key": KEY }, is: "200" },
  "the same as Azure's do": { headers: { authorization: "", "api-key": KEY }, is: "200" },
  "the header in odd case": { at: NONE, headers: { "X-pRoViDeR-EnDpOiNt": "LISTED" }, is: "200" },
  "no key": { headers: { authorization: "" }, is: "401 unauthorized" },
  "a key that nobody knows": { headers: bearer("sbx_nobodys-key"), is: "401 unauthorized" },
  "the admin token": { headers: bearer(ADMIN_TOKEN), is: "401 unauthorized" },
  "no key comes before a malformed endpoint": {
    at: MALFORMED,
    headers: { authorization: "" },
    is: "401 unauthorized",
  },
  "a key without the scope": { headers: bearer(CLIENT_KEY), is: "403 override_not_allowed" },
  "no right comes before a malformed endpoint": {
    at: MALFORMED,
    headers: bearer(CLIENT_KEY),
    is: "403 override_not_allowed",
  },
  malformed: { at: MALFORMED, is: "400 override_invalid" },
  empty: { at: "", is: "400 override_invalid" },
  "two lines": { headers: { "X-Provider-Endpoint": "LISTED" }, is: "400 override_invalid" },
  "two lines that are one URL": {
    at: `http://${HOST}`,
    headers: { "X-Provider-Endpoint": "LISTED" },
    is: "400 override_invalid",
  },
  "two lines, the first empty": {
    at: "",
    headers: { "X-Provider-Endpoint": "LISTED" },
    is: "400 override_invalid",
  },
  "three lines, the first two empty": {
    at: "",
    headers: { "X-Provider-Endpoint": "", "X-PROVIDER-ENDPOINT": "LISTED" },
    is: "400 override_invalid",
  },
  "a key in the second of two lines": {
    headers: { authorization: "", Authorization: `Bearer ${KEY}` },
    is: "401 unauthorized",
  },
  "not listed": { at: UNLISTED, is: "403 override_not_listed" },
  "its model provider": { headers: { "x-model-provider": "oci" }, is: "200" },
  "another model provider": { headers: { "x-model-provider": "vertex" }, is: "400 override_invalid" },
  "an empty model provider": { headers: { "x-model-provider": "" }, is: "400 override_invalid" },
  "two model providers": {
    headers: { "x-model-provider": "oci", "X-Model-Provider": "oci" },
    is: "400 override_invalid",
  },
  "two model providers, the first empty": {
    headers: { "x-model-provider": "", "X-Model-Provider": "oci" },
    is: "400 override_invalid",
  },
  "a key for another endpoint": { headers: bearer(LIMITED_KEY), is: "403 override_not_allowed" },
  "a signature that is none beside a good key": {
    headers: { "x-provider-signature": "v1;nothing" },
    is: "403 override_not_allowed",
  },
};

for (const [title, { at, headers = {}, is }] of Object.entries(CASES)) {
  test(`who names an endpoint: ${title}`, async () => {
    const listedUrl = endpointAt(provider.port);
    const given = Object.entries(headers).map(([name, value]) => [
      name,
      value === "LISTED" ? listedUrl : value,
    ]);
    const endpoint = at === NONE ? undefined : (at ?? listedUrl);
    const text = stand.text(endpoint, { headers: Object.fromEntries(given) });
    assert.equal(said(await stand.answerTo(text)), is);
    assert.equal(provider.requests.splice(0).length, is === "200" ? 1 : 0);
    assert.equal(stand.worker.requests.length, 0);
  });
}

test("a key that is limited reaches what it is limited to", async () => {
  const other = `http://other.pool.example:${provider.port}/v1/chat`;
  assert.equal(said(await stand.ask(other, { headers: bearer(LIMITED_KEY) })), "200");
  assert.equal(provider.requests.splice(0).length, 1);
});

test("x-model-provider alone changes nothing and goes no further", async () => {
  const headers = { ...bearer(CLIENT_KEY), "x-model-provider": "oci" };
  assert.equal((await stand.answerTo(requestText({ headers, body: { model: "m" } }))).body, "a worker");
  const [request] = stand.worker.requests.splice(0);
  assert.deepEqual(
    request!.head.headers.filter(([name]) => /provider|authorization/.test(name)),
    [],
  );
});

test("a reserved path is not answered to who names an endpoint", async () => {
  for (const path of ["/v1/models", "/v1/models/m", "/health", "/admin/stats"]) {
    const text = stand.text(endpointAt(provider.port), { method: "GET", path });
    assert.equal(said(await stand.answerTo(text)), "403 override_not_allowed", path);
  }
  assert.equal(provider.requests.length, 0);
});

test("nothing that was refused was served by a worker", () => stand.isWorkerUntouched());

test("while it is off, an endpoint is refused on every kind of request, and no worker sees it", async () => {
  await using relay = await RelayProgram.start([], { env: { SIGNALBOX_OVERRIDE: "" } });
  await using worker = await ScriptedWorker.connect(relay.url, {
    register: { models: ["*"] },
    serve: (request) => request.answer(200, "a worker"),
  });
  const off = { send: (text: string) => stand.send(text, relay.port) } as OverrideStand;
  for (const value of [endpointAt(provider.port), "", "nonsense"]) {
    for (const kind of KINDS) {
      const { status, code } = await kind.ask(off, { "x-provider-endpoint": value });
      assert.deepEqual([status, code ?? "override_not_allowed"], [403, "override_not_allowed"], kind.name);
    }
  }
  assert.equal(worker.requests.length, 0);
});
