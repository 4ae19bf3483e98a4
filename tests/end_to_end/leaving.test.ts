import assert from "node:assert/strict";
import net from "node:net";
import { test } from "node:test";
import { RelayProgram } from "../support/program.ts";
import { RawClient, requestText } from "../support/raw_client.ts";
import { ScriptedWorker } from "../support/scripted_worker.ts";
import { until } from "../support/until.ts";

/** Clients that leave before anybody has looked after them for long. */

const CHAT = requestText({ body: { model: "m" } });

function gone(relay: RelayProgram): number {
  return (relay.stderr + relay.stdout).split("failure=client_gone").length - 1;
}

test("who leaves the line gets no slot", async () => {
  await using relay = await RelayProgram.start();
  await using worker = await ScriptedWorker.connect(relay.url);
  await using first = await RawClient.sends(relay.port, CHAT);
  const taken = await worker.next();
  for (let times = 1; times <= 5; times++) {
    const second = await RawClient.sends(relay.port, CHAT);
    second.leave();
    await until(() => gone(relay) === times, "the leaving is noticed");
  }
  taken.answer(200, "first");
  await first.response();
  assert.equal(worker.requests.length, 1);
});

test("a client that resets its connection behind the last byte of its body is still named", async () => {
  await using relay = await RelayProgram.start();
  await using worker = await ScriptedWorker.connect(relay.url);
  worker.onRequest = (request) => request.answer(200, "nobody");
  for (let times = 0; times < 20; times++) {
    const socket = net.connect({ port: relay.port, host: "127.0.0.1", noDelay: true });
    socket.on("error", () => {});
    await new Promise((resolve) => socket.once("connect", resolve));
    await new Promise((resolve) => socket.write(CHAT.slice(0, -5), "latin1", resolve));
    await new Promise((resolve) => socket.write(CHAT.slice(-5), "latin1", resolve));
    socket.resetAndDestroy();
  }
  await using last = await RawClient.sends(relay.port, CHAT);
  await last.response();
  for (const { head } of worker.requests)
    assert.equal(new Map(head.headers).get("x-forwarded-for"), "127.0.0.1");
});
