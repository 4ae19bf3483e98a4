import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { CLIENT_KEY, endpointAt, HOST, KEY, listed, OverrideStand, said } from "../support/override_stand.ts";
import { RawBackend } from "../support/raw_backend.ts";
import { CHAT, chunk, requestText } from "../support/raw_client.ts";

/** Which headers reach a provider, and which headers that are not quite `x-provider-endpoint` mean nothing. */

let provider: RawBackend;
let stand: OverrideStand;

before(async () => {
  provider = await RawBackend.start((request) => request.reply(200, "provider"));
  stand = await OverrideStand.start({ endpoint: [listed(provider.port, { provider: "oci" })] });
});

after(async () => {
  await stand?.[Symbol.asyncDispose]();
  await provider?.[Symbol.asyncDispose]();
});

const here = () => endpointAt(provider.port);

/** The only request that the provider got. */
async function taken() {
  const [request, ...more] = provider.requests.splice(0);
  assert.equal(more.length, 0);
  return await request!.receivedWhole();
}

test("a provider gets what the client says to it, and nothing of the relay's", async () => {
  const headers = {
    "x-model-provider": "oci",
    "x-provider-authorization": "Bearer of-the-provider",
    "x-api-key": CLIENT_KEY,
    "api-key": "anybody's",
    cookie: "session=1",
    "x-model": "m",
    "x-provider": "home",
    "x-signalbox-explain": "1",
    "x-worker-secret": "s",
    "proxy-authorization": "Basic eA==",
    te: "trailers",
    connection: "x-for-one-hop",
    "x-for-one-hop": "1",
    forwarded: "for=10.1.1.1",
    "x-forwarded-for": "10.1.1.1",
    expect: "100-continue",
    "content-type": "application/json; charset=utf-8",
    "accept-encoding": "br",
    "user-agent": "upstream/1",
    "opc-request-id": "a b,c",
    "x-custom": "caf\u00e9",
  };
  const body = '{ "model":"m",\n "stream": false }';
  assert.equal(said(await stand.answerTo(stand.text(here(), { headers, body }))), "200");
  const { head, body: received, target, method } = await taken();
  assert.deepEqual([method, target, received.toString()], ["POST", "/v1/chat", body]);
  const fields = head
    .split("\r\n")
    .slice(1)
    .map((line) => line.toLowerCase());
  assert.deepEqual(fields.sort(), [
    "accept-encoding: br",
    "content-length: 33",
    "content-type: application/json; charset=utf-8",
    `host: ${HOST}:${provider.port}`,
    "opc-request-id: a b,c",
    "user-agent: upstream/1",
    "via: 1.1 signalbox",
    "x-custom: caf\u00e9",
    "x-forwarded-for: 127.0.0.1",
    "x-forwarded-host: relay.test",
    "x-forwarded-proto: http",
  ]);
  assert.doesNotMatch(head, new RegExp(`${KEY}|${CLIENT_KEY}`));
});

test("a client gets what the provider says to it, and nothing that is for one hop", async () => {
  const sent = {
    "content-type": "application/json",
    "x-of-provider": "1",
    connection: "x-for-one-hop",
    "x-for-one-hop": "1",
    "keep-alive": "timeout=5",
    "proxy-authenticate": "Basic",
    trailer: "x-sum",
    "x-signalbox-worker": "forged",
    "retry-after": "7",
  };
  await using telling = await RawBackend.start((request) => request.reply(429, "later", sent));
  await using relay = await OverrideStand.start({ endpoint: [listed(telling.port, { provider: "oci" })] });
  const answer = await relay.ask(endpointAt(telling.port));
  assert.equal(answer.status, 429);
  // Of this hop, where the runtime says so, and not the provider's.
  const { connection = "keep-alive", ...told } = Object.fromEntries(answer.headers);
  assert.equal(connection, "keep-alive");
  const fields = Object.keys(told).filter((name) => !["date", "x-signalbox-request-id"].includes(name));
  assert.deepEqual(fields.sort(), [
    "content-length",
    "content-type",
    "retry-after",
    "via",
    "x-of-provider",
    "x-signalbox-attempts",
    "x-signalbox-provider",
  ]);
});

test("the path and query of the request itself are not appended, whatever they are", async () => {
  for (const path of ["/v1/other?x=1", "/", "/../../etc", "//evil.example/v1", "/v1/chat?alt=sse"]) {
    assert.equal(said(await stand.answerTo(stand.text(here(), { path }))), "200", path);
    assert.equal((await taken()).target, "/v1/chat");
  }
});

test("an endpoint that joins has them appended, and they must be listed too", async () => {
  await using joining = await OverrideStand.start({
    endpoint: [listed(provider.port, { join: true, patterns: [`http://${HOST}:${provider.port}/v1/**`] })],
  });
  const origin = `http://${HOST}:${provider.port}`;
  assert.equal(said(await joining.ask(origin, { path: "/v1/engines/a:b/x%20y" })), "200");
  assert.equal((await taken()).target, "/v1/engines/a:b/x%20y");
  const refused = { "/v2/chat": 403, "/v1/a?b": 403, "/v1/a%2fb": 400, "/v1//a": 400, "/v1/../v2": 403 };
  for (const [path, status] of Object.entries(refused)) {
    assert.equal((await joining.ask(origin, { path })).status, status, path);
  }
  assert.equal(provider.requests.length, 0);
  await joining.isWorkerUntouched();
});

test("a header that Connection names is for one hop: refused, not overlooked", async () => {
  const named = [
    "x-provider-endpoint",
    "X-Provider-Endpoint",
    "close, x-model-provider",
    "x-provider-signature",
  ];
  for (const connection of [...named, "x-provider-authorization"]) {
    assert.equal(
      said(await stand.ask(here(), { headers: { connection } })),
      "400 override_invalid",
      connection,
    );
  }
  assert.equal(provider.requests.length, 0);
  await stand.isWorkerUntouched();
});

test("a spelling that some servers take for the header means nothing and goes nowhere", async () => {
  const spellings = [
    "x_provider_endpoint",
    "X_Provider-Endpoint",
    "x-provider_endpoint",
    "x-provider-endpoints",
  ];
  for (const name of spellings) {
    const headers = { authorization: `Bearer ${CLIENT_KEY}`, [name]: here() };
    assert.equal(
      (await stand.answerTo(requestText({ headers, body: { model: "m" } }))).body,
      "a worker",
      name,
    );
    const [request] = stand.worker.requests.splice(0);
    assert.doesNotMatch(JSON.stringify(request!.head.headers), /provider.endpoint/i);

    const both = { [name]: "http://evil.example/v1", x_model_provider: "oci" };
    assert.equal(said(await stand.ask(here(), { headers: both })), "200");
    assert.doesNotMatch((await taken()).head, /evil|model.provider/i);
  }
});

test("a space before the colon is no header, and no request", async () => {
  for (const line of [`x-provider-endpoint : ${here()}`, ` x-provider-endpoint: ${here()}`]) {
    const text = stand.text(undefined, { headers: { authorization: `Bearer ${CLIENT_KEY}` } });
    const answer = await stand.answerTo(text.replace("\r\n\r\n", `\r\n${line}\r\n\r\n`));
    assert.ok([0, 400].includes(answer.status), answer.body);
  }
  assert.equal(provider.requests.length, 0);
  await stand.isWorkerUntouched();
});

test("as a trailer it means nothing and goes nowhere", async () => {
  const body = `${chunk('{"model":"m"}')}0\r\nX-Provider-Endpoint: ${here()}\r\n\r\n`;
  const framed = { "content-type": "application/json", "transfer-encoding": "chunked" };
  const headers = { ...framed, trailer: "x-provider-endpoint" };
  const unnamed = { ...headers, authorization: `Bearer ${CLIENT_KEY}` };
  // Bun answers every request with trailers by itself.
  const { status } = await stand.answerTo(requestText({ path: CHAT, headers: unnamed, body }));
  assert.ok([200, 400].includes(status), `${status}`);
  assert.equal(provider.requests.length, 0);
  for (const { head } of stand.worker.requests.splice(0)) {
    assert.doesNotMatch(JSON.stringify(head.headers), /trailer|endpoint/i);
  }
  await stand.answerTo(stand.text(here(), { headers, body }));
  for (const { head } of provider.requests.splice(0)) assert.doesNotMatch(head, /trailer|endpoint/i);
  await stand.isWorkerUntouched();
});
