import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { endpointAt, listed, OverrideStand } from "../support/override_stand.ts";
import { RelayProgram } from "../support/program.ts";
import { RawBackend } from "../support/raw_backend.ts";
import { RawClient } from "../support/raw_client.ts";

/** A relay that is told to stop lets requests that providers have come to their end. */

let provider: RawBackend;
before(async () => {
  provider = await RawBackend.start();
});
after(() => provider[Symbol.asyncDispose]());

function start(flags: string[] = []): Promise<OverrideStand> {
  return OverrideStand.start({ listen: "127.0.0.1:0", endpoint: [listed(provider.port)] }, { flags });
}

for (const where of ["listener", "other listener"]) {
  test(`an answer under way comes to its end, at the ${where}`, async () => {
    await using stand = await start();
    const port = where === "listener" ? await stand.listenerPort() : stand.relay.port;
    const client = await stand.send(stand.text(endpointAt(provider.port)), port);
    const request = (await provider.next()).startStream();
    request.chunk("data: 1\n\n");
    await client.receives("data: 1");
    stand.relay.signal("SIGTERM");
    await stand.relay.says(/Draining/);
    request.chunk("data: 2\n\n");
    await client.receives("data: 2");
    await assert.rejects(RawClient.sends(port, stand.text(endpointAt(provider.port))));
    request.lastChunk();
    assert.equal((await client.response()).complete, true);
    assert.equal(await stand.relay.exited, 0);
  });
}

test("a request that has no answer yet gets one", async () => {
  await using stand = await start();
  const client = await stand.send(stand.text(endpointAt(provider.port)));
  const request = await provider.next();
  stand.relay.signal("SIGTERM");
  await stand.relay.says(/Draining/);
  request.reply(200, "late");
  assert.equal((await client.response()).body, "late");
  assert.equal(await stand.relay.exited, 0);
});

test("what does not end is cut at the deadline, and the provider is left", async () => {
  await using stand = await start(["--drain-timeout=300ms"]);
  const client = await stand.send(stand.text(endpointAt(provider.port)));
  const request = (await provider.next()).startStream();
  request.chunk("data: 1\n\n");
  await client.receives("data: 1");
  stand.relay.signal("SIGTERM");
  await client.isClosed();
  assert.equal((await client.response()).complete, false);
  await request.isLeft();
  assert.equal(await stand.relay.exited, 0);
});

test("a relay with an override that nobody uses ends as soon as another", async () => {
  const env = {
    SIGNALBOX_OVERRIDE: JSON.stringify({ listen: "127.0.0.1:0", endpoint: [listed(provider.port)] }),
  };
  await using relay = await RelayProgram.start([], { env });
  const startedMs = performance.now();
  relay.signal("SIGTERM");
  assert.equal(await relay.exited, 0);
  assert.ok(performance.now() - startedMs < 1000);
});
