import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Signed, signatureOf } from "../support/override_signature.ts";
import { endpointAt, listed, OverrideStand, said } from "../support/override_stand.ts";
import { RawBackend } from "../support/raw_backend.ts";

/** Signed overrides: good for one request, once, for a minute. */

const OLD = "old-secret-of-an-upstream-0123456789";
const NEW = "new-secret-of-an-upstream-0123456789";

let provider: RawBackend;
let stand: OverrideStand;

before(async () => {
  provider = await RawBackend.start((request) => request.reply(200, "provider"));
  const { port } = provider;
  const other = { name: "other", patterns: [`http://other.pool.example:${port}/v1/**`] };
  stand = await OverrideStand.start(
    {
      endpoint: [listed(port, { provider: "oci" }), listed(port, other)],
      key: [
        { id: "k1", secret: { env: "OLD" } },
        { id: "k2", secret: { env: "NEW" } },
        { id: "other-only", secret: { env: "NEW" }, endpoints: ["other"] },
      ],
    },
    { env: { OLD, NEW } },
  );
});

after(async () => {
  await stand?.[Symbol.asyncDispose]();
  await provider?.[Symbol.asyncDispose]();
});

const here = () => endpointAt(provider.port);

/** A request for the endpoint, with a signature over what `signed` says. */
async function ask(signed: Partial<Signed>, change: (signature: string) => string = (text) => text) {
  const signature = change(signatureOf({ secret: OLD, endpoint: here(), ...signed }));
  return await send(signature);
}

async function send(signature: string, headers: Record<string, string> = {}): Promise<string> {
  const sent = { authorization: "", "x-provider-signature": signature, ...headers };
  return said(await stand.ask(here(), { headers: sent }));
}

const REFUSED = "403 override_not_allowed";

test("a signature is good once", async () => {
  const signature = signatureOf({ secret: OLD, endpoint: here() });
  assert.equal(await send(signature), "200");
  assert.equal(await send(signature), REFUSED);
  assert.equal(provider.requests.splice(0).length, 1);
});

test("two keys are active while one takes the other's place", async () => {
  assert.equal(await ask({ secret: OLD, kid: "k1" }), "200");
  assert.equal(await ask({ secret: NEW, kid: "k2" }), "200");
  assert.equal(await ask({ secret: NEW, kid: "k1" }), REFUSED);
  provider.requests.splice(0);
});

test("what it says of the model provider is what is sent", async () => {
  const signed = { secret: OLD, endpoint: here(), modelProvider: "oci" };
  assert.equal(await send(signatureOf(signed), { "x-model-provider": "oci" }), "200");
  assert.equal(await send(signatureOf(signed)), REFUSED);
  assert.equal(
    await send(signatureOf({ ...signed, modelProvider: "" }), { "x-model-provider": "oci" }),
    REFUSED,
  );
  provider.requests.splice(0);
});

test("a clock that is a little off does no harm", async () => {
  assert.equal(await ask({ issued: 25 }), "200");
  // Expired 20 s ago.
  assert.equal(await ask({ issued: -80 }), "200");
  provider.requests.splice(0);
});

const WRONG: Readonly<Record<string, Partial<Signed>>> = {
  expired: { issued: -100 },
  "of a time to come": { issued: 40 },
  "good for too long": { life: 61 },
  "good for no time": { life: 0 },
  "over before it began": { life: -5 },
  "of a key that is unknown": { kid: "k3" },
  "with another secret": { secret: "another-secret-of-nobody-0123456789" },
  "for another method": { method: "GET" },
  "for another path": { target: "/v1/completions" },
  "for another query": { target: "/v1/chat/completions?stream=true" },
  "for another endpoint": { endpoint: "http://vllm.pool.example/v1/other" },
  "with a short nonce": { nonce: "fifteen-letters" },
  "with a nonce that is no base64url": { nonce: "sixteen+letters/+" },
  "of a key for other endpoints": { secret: NEW, kid: "other-only" },
};

for (const [title, signed] of Object.entries(WRONG)) {
  test(`a signature ${title}`, async () => {
    assert.equal(await ask(signed), REFUSED);
    assert.equal(provider.requests.length, 0);
  });
}

const CHANGED: Readonly<Record<string, (text: string) => string>> = {
  "of another version": (text) => text.replace("v1", "v2"),
  "cut short": (text) => text.slice(0, -1),
  "in upper case": (text) => text.replace(/[0-9a-f]+$/, (mac) => mac.toUpperCase()),
  "with another expiry": (text) => text.replace(/exp=(\d+)/, (_all, exp) => `exp=${Number(exp) - 1}`),
  "with another nonce": (text) => text.replace("n=", "n=x"),
  "with its fields in another order": (text) => text.replace(/(t=\d+);(exp=\d+)/, "$2;$1"),
  twice: (text) => `${text}, ${text}`,
  "that is empty": () => "",
};

for (const [title, change] of Object.entries(CHANGED)) {
  test(`a signature ${title}`, async () => {
    assert.equal(await ask({}, change), REFUSED);
    assert.equal(provider.requests.length, 0);
  });
}

test("nothing that was refused was served by a worker", () => stand.isWorkerUntouched());
