import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { slotsFree } from "../support/admin_view.ts";
import type { HttpProbe } from "../support/modelrelay/probe.ts";
import { until } from "../support/modelrelay/probe.ts";
import { answerBytes, chunkBytes, openChunkedBytes } from "../support/modelrelay/probe_server.ts";
import { type Answers, RelayStage } from "../support/modelrelay/relay_stage.ts";
import { ServerStage } from "../support/modelrelay/server_stage.ts";

/** Many clients at a time, of which some leave: nobody else is disturbed, and every slot is free in the end. */

const CLIENTS = 120;
const SLOTS = 8;
const EVENTS = 20;
const KINDS = ["/v1/chat/completions", "/v1/responses", "/v1/messages"];

/** A whole answer, a stream of events, and a refusal, each after some turns of the event loop. */
const ANSWERS: Answers = {
  "/v1/chat/completions": async (socket, { body }) => {
    await turn();
    socket.write(answerBytes("200 OK", [], body));
  },
  "/v1/responses": (socket) => stream(socket),
  "/v1/messages": (socket) => socket.write(answerBytes("400 Bad Request", [], '{"error":1}')),
};

async function stream(socket: Socket): Promise<void> {
  socket.write(openChunkedBytes("200 OK", ["content-type: text/event-stream"], []));
  for (let event = 0; event < EVENTS && !socket.destroyed; event++) {
    socket.write(chunkBytes(`data: ${event} €\n\n`));
    await turn();
  }
  socket.write("0\r\n\r\n");
}

const EVENT_TEXT = Array.from({ length: EVENTS }, (_, event) => `data: ${event} €\n\n`).join("");

interface Asked {
  client: HttpProbe;
  path: string;
  leaves: boolean;
}

type Client = (ask: { path: string; body: object }) => HttpProbe;

/** Every seventh leaves, as soon as it sees anything, or at once. */
async function crowd(client: Client): Promise<void> {
  const asked: Asked[] = [];
  for (let at = 0; at < CLIENTS; at++) {
    const path = KINDS[at % KINDS.length]!;
    const body = { stream: path !== "/v1/chat/completions", at };
    asked.push({ client: client({ path, body }), path, leaves: at % 7 === 0 });
    if (at % 10 === 0) await turn();
  }
  for (const { client, leaves } of asked) if (leaves) client.leave();
  for (const [at, { client, path, leaves }] of asked.entries()) {
    if (leaves) continue;
    const { status, body } = await client.whole();
    if (path === "/v1/messages") assert.deepEqual([status, body], [400, '{"error":1}']);
    else if (path === "/v1/responses") assert.deepEqual([status, body], [200, EVENT_TEXT]);
    else assert.deepEqual([status, JSON.parse(body).at], [200, at]);
  }
}

test("a crowd at our relay with ModelRelay's worker", async () => {
  await using stage = await RelayStage.start(["--max-queue-len=1000"]);
  await stage.play({ answers: ANSWERS, maxConcurrent: SLOTS }, async ({ worker, ask }) => {
    for (let round = 0; round < 3; round++) await crowd(ask);
    await slotsFree(stage.relay);
    await until(() => worker.running === 0);
    assert.equal(worker.registered, 1);
  });
});

test("a crowd at ModelRelay's server with our worker", async () => {
  const flags = [`--max-concurrency=${SLOTS}`];
  await using stage = await ServerStage.start({ answers: ANSWERS, flags, server: { maxQueueLength: 1000 } });
  for (let round = 0; round < 3; round++) await crowd((ask) => stage.ask(ask));
  await until(() => stage.server.state.workers[0]?.inFlight.size === 0);
  stage.isUnbroken();
});
