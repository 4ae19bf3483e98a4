import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { HOST, LOOPBACK, OverrideStand, said } from "../support/override_stand.ts";
import { RawBackend } from "../support/raw_backend.ts";

/** Which credential a provider gets: the one that its entry names, and never what was for the relay. */

const folder = mkdtempSync(join(tmpdir(), "signalbox-credentials-"));
const file = join(folder, "token");
let provider: RawBackend;
let stand: OverrideStand;

const CREDENTIALS = {
  none: { credential: "none" },
  passthrough: { credential: "passthrough" },
  "from-file": { credential: "secret", secret: { file } },
  "from-env": { credential: "secret", secret: { env: "PROVIDER_KEY" } },
  "from-systemd": { credential: "secret", secret: { credential: "provider" } },
};

before(async () => {
  writeFileSync(file, "first-token\n");
  writeFileSync(join(folder, "provider"), "token-of-systemd");
  provider = await RawBackend.start((request) => request.reply(200, "provider"));
  const endpoint = Object.entries(CREDENTIALS).map(([name, credential]) => ({
    name,
    patterns: [`http://${HOST}:${provider.port}/${name}/**`],
    allow_private: LOOPBACK,
    ...credential,
  }));
  const env = { PROVIDER_KEY: "ApiKey of-the-environment", CREDENTIALS_DIRECTORY: folder };
  stand = await OverrideStand.start({ endpoint }, { env });
});

after(async () => {
  await stand?.[Symbol.asyncDispose]();
  await provider?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

/** What the provider got as `Authorization`. */
async function credentialAt(name: string, headers: Record<string, string> = {}) {
  const endpoint = `http://${HOST}:${provider.port}/${name}/chat`;
  assert.equal(said(await stand.ask(endpoint, { headers })), "200");
  const { head } = provider.requests.splice(0)[0]!;
  assert.doesNotMatch(head, /sbx_|x-provider|x-api-key/i);
  return head.match(/^authorization: .*$/gim) ?? [];
}

const PASSED = { "x-provider-authorization": "Bearer of-the-customer", "x-api-key": "anybody's" };

test("none: whatever the client sends", async () => {
  assert.deepEqual(await credentialAt("none"), []);
  assert.deepEqual(await credentialAt("none", PASSED), []);
});

test("passthrough: what the upstream sends for it", async () => {
  assert.deepEqual(await credentialAt("passthrough"), []);
  assert.deepEqual(await credentialAt("passthrough", PASSED), ["authorization: Bearer of-the-customer"]);
});

test("passthrough: one credential, sent once", async () => {
  const digest = 'Digest username="u", realm="r", response="0"';
  assert.deepEqual(await credentialAt("passthrough", { "x-provider-authorization": digest }), [
    `authorization: ${digest}`,
  ]);
  const endpoint = `http://${HOST}:${provider.port}/passthrough/chat`;
  for (const [one, other] of [[""], ["", "Bearer b"], ["Bearer a", "Bearer b"], ["Basic a", ""]]) {
    const headers = {
      "x-provider-authorization": one!,
      ...(other !== undefined && { "X-Provider-Authorization": other }),
    };
    assert.equal(said(await stand.ask(endpoint, { headers })), "400 override_invalid", `${one} and ${other}`);
  }
  assert.equal(provider.requests.length, 0);
});

test("secret: from the environment with its scheme, from systemd as a token", async () => {
  assert.deepEqual(await credentialAt("from-env", PASSED), ["authorization: ApiKey of-the-environment"]);
  assert.deepEqual(await credentialAt("from-systemd"), ["authorization: Bearer token-of-systemd"]);
});

test("secret: a file is read again within a second of its change", async () => {
  assert.deepEqual(await credentialAt("from-file", PASSED), ["authorization: Bearer first-token"]);
  writeFileSync(file, "second-token");
  const changedAtMs = performance.now();
  for (;;) {
    const [found] = await credentialAt("from-file");
    if (found === "authorization: Bearer second-token") break;
    assert.equal(found, "authorization: Bearer first-token");
    assert.ok(performance.now() - changedAtMs < 1500, "a second has passed");
  }
});
