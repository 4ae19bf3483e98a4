import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { endRelay, startRelay } from "../support/admin_view.ts";
import { cannotOverPlain } from "../support/link_form.ts";
import { type RelayProgram, WorkerProgram } from "../support/program.ts";
import { RawBackend } from "../support/raw_backend.ts";
import { chunk, RawClient, requestText } from "../support/raw_client.ts";

/** Time limits: who moves is never cut off, however long it takes. */

/** As often as an answer has events, or an upload pieces. */
const PACE_MS = 100;
/** Ten times the pace: a machine that halts for half a second must not make who moves one who stands still. */
const LIMIT_MS = 10 * PACE_MS;

const CHAT = requestText({ body: { model: "m", stream: true } });

let relay: RelayProgram;
let worker: WorkerProgram;
let backend: RawBackend;

before(async () => {
  const limits = ["request-timeout", "response-idle-timeout", "upload-idle-timeout", "slow-reader-timeout"];
  backend = await RawBackend.start();
  relay = await startRelay(limits.map((name) => `--${name}=${LIMIT_MS}ms`));
  worker = await WorkerProgram.start(relay.url, backend.url, ["--models=m", "--max-concurrency=2"]);
});

after(async () => {
  await worker?.kill();
  await endRelay(relay);
  await backend?.[Symbol.asyncDispose]();
});

test("an answer outlives one that stands still", async () => {
  await using still = await RawClient.sends(relay.port, CHAT);
  (await backend.next()).startStream().chunk("data: 1\n\n");
  await still.receives("data: 1");
  await using moving = await RawClient.sends(relay.port, CHAT);
  const request = (await backend.next()).startStream();
  const events = await pacedUntil(
    () => still.closed,
    () => request.chunk("data: 1\n\n"),
  );
  request.lastChunk();
  const { complete, body } = await moving.response();
  assert.deepEqual([complete, body], [true, "data: 1\n\n".repeat(events)]);
});

test("an upload outlives one that stands still", {
  skip: cannotOverPlain("wholeRequests"),
}, async () => {
  const headers = { "transfer-encoding": "chunked", "content-type": "application/octet-stream" };
  const upload = requestText({ path: "/upload", headers });
  await using still = await RawClient.sends(relay.port, upload);
  still.send(chunk("piece"));
  await backend.next();
  await using moving = await RawClient.sends(relay.port, upload);
  const isCut = () => still.received.includes("upload_timeout");
  const pieces = await pacedUntil(isCut, () => moving.send(chunk("piece")));
  moving.send("0\r\n\r\n");
  const request = await (await backend.next()).receivedWhole();
  request.reply(200, "thanks");
  assert.equal((await moving.response()).body, "thanks");
  assert.equal(request.body.toString(), "piece".repeat(pieces));
});

/** Until the one that stands still is cut off, and for some looks of the relay at its limits more. Gives how often. */
async function pacedUntil(isCut: () => boolean, act: () => void): Promise<number> {
  let times = 0;
  for (let more = 3; more > 0; times++) {
    if (isCut()) more--;
    act();
    assert.ok(times < 100, "who stands still is cut off");
    await new Promise((resolve) => setTimeout(resolve, PACE_MS));
  }
  return times;
}
