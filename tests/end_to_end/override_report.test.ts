import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  CLIENT_KEY,
  endpointAt,
  HOST,
  KEY,
  LOOPBACK,
  OverrideStand,
  said,
} from "../support/override_stand.ts";
import { RawBackend } from "../support/raw_backend.ts";
import { until } from "../support/until.ts";

/** What the relay's operator sees of overrides, and what nobody may see. */

const SECRET = "secret-of-an-upstream-0123456789-012";
const TOKEN = "token-of-the-provider";

let provider: RawBackend;
let stand: OverrideStand;

before(async () => {
  provider = await RawBackend.start((request) => {
    if (request.target.includes("/broken")) request.reset();
    else request.reply(request.target.includes("/teapot") ? 418 : 200, "provider");
  });
  const at = (host: string) => [
    `http://${host}:${provider.port}/v1/**`,
    `http://${host}:${provider.port}/v1/**?key=*`,
  ];
  const shared = { allow_private: LOOPBACK };
  const secret = { credential: "secret", secret: { env: "TOKEN" } };
  stand = await OverrideStand.start(
    {
      endpoint: [
        { name: "vllm", patterns: at(HOST), ...shared, ...secret },
        { name: "nowhere", patterns: at("nowhere.pool.example"), ...shared },
      ],
      key: [{ id: "k1", secret: { env: "SECRET" } }],
    },
    { env: { TOKEN, SECRET }, flags: ["--log-level=debug"] },
  );
});

after(async () => {
  await stand?.[Symbol.asyncDispose]();
  await provider?.[Symbol.asyncDispose]();
});

/** Of the endpoint, and nobody's business. */
const PRIVATE = "/v1/of-a-customer";

async function ask(
  target: string,
  rest: Parameters<OverrideStand["ask"]>[1] = {},
  host = HOST,
): Promise<string> {
  return said(await stand.ask(`http://${host}:${provider.port}${target}`, rest));
}

test("/admin/stats counts by endpoint and by what came of it", async () => {
  assert.deepEqual(await stand.counts(), {});
  assert.equal(await ask(PRIVATE), "200");
  assert.equal(await ask(`${PRIVATE}?key=of-a-customer`), "200");
  assert.equal(await ask(`${PRIVATE}/teapot`), "418");
  assert.equal(await ask(`${PRIVATE}/broken`), "502 provider_broke_off");
  stand.resolves = () => ["169.254.169.254"];
  assert.equal(await ask(PRIVATE, {}, "nowhere.pool.example"), "502 provider_unreachable");
  assert.equal(await ask("/v2/of-a-customer"), "403 override_not_listed");
  assert.equal(await ask("/v1//of-a-customer"), "400 override_invalid");
  assert.equal(await ask(PRIVATE, { headers: { authorization: "" } }), "401 unauthorized");
  const headers = { authorization: `Bearer ${CLIENT_KEY}` };
  assert.equal(await ask(PRIVATE, { headers }), "403 override_not_allowed");
  const counts = {
    vllm: { 200: 2, 418: 1, provider_broke_off: 1 },
    nowhere: { provider_unreachable: 1 },
    "": { override_not_listed: 1, override_invalid: 1, unauthorized: 1, override_not_allowed: 1 },
  };
  assert.deepEqual(await stand.counts(), counts);
});

test("the log names who, which endpoint, scheme and host, and what came of it", async () => {
  const lines = () => stand.relay.stderr.split("\n").filter((line) => / request method=/.test(line));
  await until(() => lines().length >= 9, "a line for each request");
  const [first] = lines();
  assert.match(first!, / override=vllm host=http:\/\/vllm\.pool\.example( |:)/);
  assert.match(first!, / status=200 .*provider=vllm .*client=upstream /);
  assert.match(lines().find((line) => line.includes("provider_unreachable"))!, / override=nowhere /);
  assert.match(stand.relay.stderr, /WARN .*169\.254\.169\.254 is forbidden \(link-local\)/);
});

test("the log holds no path and no query of an endpoint, and no credential", async () => {
  assert.doesNotMatch(stand.relay.stderr, /of-a-customer|teapot|broken\b/);
  for (const text of [KEY, CLIENT_KEY, TOKEN, SECRET]) assert.equal(stand.relay.stderr.includes(text), false);
});

test("failures show no address, no text of others and nothing that is listed", async () => {
  const answers = [
    await stand.ask(`http://nowhere.pool.example:${provider.port}/v1/x`),
    await stand.ask(endpointAt(provider.port, "/v1/x/broken")),
    await stand.ask("https://unlisted.example/v1/x"),
    await stand.ask(endpointAt(provider.port, "/v2/x")),
    await stand.ask(endpointAt(provider.port, "/v1/x"), { headers: { authorization: "" } }),
  ];
  for (const { status, body, headers } of answers) {
    assert.ok(status >= 400);
    const shown = JSON.stringify([body, [...headers]]);
    assert.doesNotMatch(shown, /169\.254|127\.0\.0\.1|pool\.example|link-local|ECONN|token|secret/i);
  }
});
