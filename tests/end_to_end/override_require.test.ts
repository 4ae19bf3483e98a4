import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { signatureOf } from "../support/override_signature.ts";
import { CLIENT_KEY, endpointAt, KEY, listed, OverrideStand, said } from "../support/override_stand.ts";
import { RawBackend } from "../support/raw_backend.ts";
import { requestText } from "../support/raw_client.ts";

/** The listener for overrides, and ways that are required together. */

const SECRET = "secret-of-an-upstream-0123456789-012";
const WAYS = ["key", "listener", "signature"] as const;
type Way = (typeof WAYS)[number];

let provider: RawBackend;
before(async () => {
  provider = await RawBackend.start((request) => request.reply(200, "provider"));
});
after(() => provider[Symbol.asyncDispose]());

function start(table: object): Promise<OverrideStand> {
  const key = [{ id: "k1", secret: { env: "SECRET" } }];
  const endpoint = [listed(provider.port)];
  return OverrideStand.start({ listen: "127.0.0.1:0", endpoint, key, ...table }, { env: { SECRET } });
}

/** A request that shows these ways and no other. */
async function ask(stand: OverrideStand, ways: readonly Way[]): Promise<string> {
  const endpoint = endpointAt(provider.port);
  const signature = signatureOf({ secret: SECRET, endpoint });
  const headers = {
    authorization: ways.includes("key") ? `Bearer ${KEY}` : "",
    ...(ways.includes("signature") && { "x-provider-signature": signature }),
  };
  const where = ways.includes("listener") ? await stand.listenerPort() : undefined;
  return said(await stand.answerTo(stand.text(endpoint, { headers }), where));
}

/** All of them: none, each, each two, all three. */
const SUBSETS = Array.from({ length: 8 }, (_, bits) => WAYS.filter((_way, at) => bits & (1 << at)));

for (const require of SUBSETS) {
  test(`require = [${require}]`, async () => {
    await using stand = await start({ require });
    for (const shown of SUBSETS) {
      const enough = require.every((way) => shown.includes(way)) && shown.length > 0;
      const refused = shown.length === 0 ? "401 unauthorized" : "403 override_not_allowed";
      assert.equal(await ask(stand, shown), enough ? "200" : refused, `shown: ${shown}`);
      assert.equal(provider.requests.splice(0).length, enough ? 1 : 0);
    }
    await stand.isWorkerUntouched();
  });
}

test("the listener serves what names no endpoint as the other one does", async () => {
  await using stand = await start({});
  const port = await stand.listenerPort();
  const text = (headers: Record<string, string>) => requestText({ headers, body: { model: "m" } });
  assert.equal(said(await stand.answerTo(text({}), port)), "401 unauthorized");
  const headers = { authorization: `Bearer ${CLIENT_KEY}` };
  assert.equal((await stand.answerTo(text(headers), port)).body, "a worker");
  assert.equal(stand.worker.requests.splice(0).length, 1);
});

test("a unix socket is a listener, for its owner and group only, and gone after the relay", async () => {
  const folder = mkdtempSync(join(tmpdir(), "signalbox-socket-"));
  const path = join(folder, "override.sock");
  {
    await using stand = await start({ listen: `unix:${path}` });
    const endpoint = endpointAt(provider.port);
    const text = stand.text(endpoint, { headers: { authorization: "" } });
    assert.equal(said(await stand.answerTo(text, path)), "200");
    const { headers } = provider.requests.splice(0)[0]!;
    assert.equal(headers.get("x-forwarded-for"), undefined);
    assert.equal(said(await stand.answerTo(text)), "401 unauthorized");
    assert.equal(statSync(path).mode & 0o007, 0);
    await stand.isWorkerUntouched();
    stand.relay.signal("SIGTERM");
    assert.equal(await stand.relay.exited, 0);
    assert.equal(existsSync(path), false);
  }
  rmSync(folder, { recursive: true });
});
