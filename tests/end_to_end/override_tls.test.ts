import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { canMakeCertificates, TestAuthority } from "../support/certificates.ts";
import { LOOPBACK, OverrideStand, said } from "../support/override_stand.ts";
import { RawBackend } from "../support/raw_backend.ts";
import { until } from "../support/until.ts";

/** Providers behind TLS: the name of the endpoint must be in a certificate that somebody trusted has signed. */

const NAME = "unit1.generativeai.oci.example";
const skip = canMakeCertificates() ? false : "there is no openssl to make certificates with";
const folder = mkdtempSync(join(tmpdir(), "signalbox-tls-"));
const providers: RawBackend[] = [];
let stand: OverrideStand;

/** One for each certificate. */
const CASES = {
  "the right name": "200",
  "a wildcard that covers it": "200",
  "another name": "502 provider_unreachable",
  "an address only": "502 provider_unreachable",
  "one that has expired": "502 provider_unreachable",
  "an authority that nobody trusts": "502 provider_unreachable",
};

before(async () => {
  if (skip) return;
  using authority = new TestAuthority();
  using stranger = new TestAuthority();
  writeFileSync(join(folder, "ca.pem"), authority.pem);
  const certificates = [
    authority.issue("right", `DNS:${NAME}`),
    authority.issue("wildcard", "DNS:*.generativeai.oci.example"),
    authority.issue("other", "DNS:unit2.generativeai.oci.example,DNS:*.oci.example"),
    authority.issue("address", "IP:127.0.0.1"),
    authority.issue("expired", `DNS:${NAME}`, -1),
    stranger.issue("unknown", `DNS:${NAME}`),
  ];
  for (const certificate of certificates) {
    providers.push(await RawBackend.start((request) => request.reply(200, "provider"), 0, certificate));
  }
  const patterns = providers.map(({ port }) => `https://*.generativeai.oci.example:${port}/20240101/**`);
  stand = await OverrideStand.start({
    ca_file: join(folder, "ca.pem"),
    endpoint: [{ name: "oci", patterns, allow_private: LOOPBACK, credential: "passthrough" }],
  });
});

after(async () => {
  rmSync(folder, { recursive: true });
  for (const one of [stand, ...providers]) await one?.[Symbol.asyncDispose]();
});

for (const [at, [title, is]] of Object.entries(CASES).entries()) {
  test(`a certificate for ${title}`, { skip }, async () => {
    const provider = providers[at]!;
    const answer = await stand.ask(`https://${NAME}:${provider.port}/20240101/chat`, {
      headers: { "x-provider-authorization": "Bearer of-the-customer" },
    });
    assert.equal(said(answer), is);
    const [request] = provider.requests.splice(0);
    if (is === "200") {
      assert.equal(request!.headers.get("host"), `${NAME}:${provider.port}`);
      assert.equal(request!.headers.get("authorization"), "Bearer of-the-customer");
      return;
    }
    assert.equal(request, undefined);
    assert.ok(provider.accepted > 0, "it was the certificate");
    assert.doesNotMatch(answer.body, /certificate|tls|127\.0\.0\.1|issuer|altname/i);
  });
}

test("a provider that does not speak TLS gets nothing of the request", { skip }, async () => {
  await using plain = await RawBackend.start();
  const pattern = `https://*.generativeai.oci.example:${plain.port}/20240101/**`;
  await using other = await OverrideStand.start({
    endpoint: [{ name: "oci", patterns: [pattern], allow_private: LOOPBACK }],
  });
  const answer = other.ask(`https://${NAME}:${plain.port}/20240101/chat`, { body: "a secret prompt" });
  await until(() => plain.accepted > 0, "the relay connects");
  assert.equal(plain.accepted, 1);
  await plain.kill();
  assert.equal(said(await answer), "502 provider_unreachable");
  assert.equal(plain.requests.length, 0);
  await other.isWorkerUntouched();
});

test("without its authority in ca_file nobody of them is trusted", { skip }, async () => {
  const [provider] = providers;
  const pattern = `https://*.generativeai.oci.example:${provider!.port}/20240101/**`;
  await using other = await OverrideStand.start({
    endpoint: [{ name: "oci", patterns: [pattern], allow_private: LOOPBACK }],
  });
  const endpoint = `https://${NAME}:${provider!.port}/20240101/chat`;
  assert.equal(said(await other.ask(endpoint)), "502 provider_unreachable");
  assert.equal(provider!.requests.length, 0);
});
