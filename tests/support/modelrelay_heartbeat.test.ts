import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "./fake_clock.ts";
import { connectWorker, HttpProbe, quiet, until } from "./modelrelay/probe.ts";
import { RustServer } from "./modelrelay/rust_server.ts";
import { lineReplay } from "./modelrelay/transcript.ts";

/** What the real server did as time passed, with a worker that is played by hand. */
const { recorded, checkComplete } = lineReplay("hb", 8);

const CHAT = "/v1/chat/completions";
const post = (body: string) => ({ method: "POST", path: CHAT, body });
const PLAIN = '{"model":"m"}';
const STREAM = '{"model":"m","stream":true}';
async function alone(more: object = {}) {
  const clock = new FakeClock();
  const server = await RustServer.start({ workerSecret: "sek", clock, queueTimeoutMs: 3000 });
  const worker = await connectWorker(server.url, { secret: "sek" });
  worker.send({ type: "register", worker_name: "w", models: ["m"], max_concurrent: 1, ...more });
  const ack = await worker.next();
  const ask = async (body: string) => {
    const client = new HttpProbe(server.url, post(body));
    await until(() => server.state.workers[0]!.inFlight.size === 1);
    clock.advance(25);
    return { client, id: JSON.parse(await worker.next()).request_id as string };
  };
  return { clock, server, worker, ack, ask };
}

test("server: an idle worker is pinged after 30 s and given up 10 s later", async () => {
  const { clock, server, worker, ack } = await alone({ models: ["idle"] });
  try {
    assert.equal(`idle worker got ${ack} at 3 ms`, recorded('idle worker got {"type":"register_ack"'));
    const [, ping, pingedMs] = /(\{.*\}) at (\d+) ms/.exec(recorded('idle worker got {"type":"ping"}'))!;
    clock.advance(29_975);
    assert.deepEqual(await worker.unread(), []);
    clock.advance(Number(pingedMs) - 29_975);
    assert.equal(await worker.next(), ping);
    const [code, reason, closedMs] = JSON.parse(/\[.*\]/.exec(recorded("idle silent worker closed:"))![0]);
    clock.advance(9_900);
    await quiet();
    assert.equal(worker.end, undefined);
    clock.advance(closedMs - Number(pingedMs) - 9_900 + 25);
    assert.deepEqual(await worker.closed(), { code, reason });
  } finally {
    server.kill();
  }
});

test("server: a request whose worker is lost is too old to be sent again", async () => {
  for (const [start, body, chunk] of [
    ["in-flight 4.2s then worker lost (queue-timeout 3s):", PLAIN, undefined],
    ["streaming 4s then worker lost:", STREAM, "data: A\n\n"],
  ] as const) {
    const { clock, server, worker, ask } = await alone();
    try {
      const { client, id } = await ask(body);
      if (chunk) worker.send({ type: "response_chunk", request_id: id, chunk });
      if (chunk) await until(() => client.raw.includes("data: A"));
      clock.advance(4200);
      worker.socket.drop();
      await until(() => server.state.queueDepth === 1);
      clock.advance(1000);
      const { status, body: text } = await client.whole();
      assert.ok(recorded(start).startsWith(`${start} ${status} ${JSON.stringify(text)}`));
    } finally {
      server.kill();
    }
  }
});

test("server: SIGTERM waits for the client and tells the worker nothing", async () => {
  const { server, worker, ask } = await alone();
  const { client, id } = await ask(PLAIN);
  const stopped = server.stop();
  assert.deepEqual(await worker.unread(), []);
  assert.match(recorded("500ms after SIGTERM"), /worker socket "open"/);
  assert.equal(worker.end, undefined);
  worker.send({ type: "response_complete", request_id: id, status_code: 200, body: "done" });
  const { status, body } = await client.whole();
  assert.equal(`client of in-flight at SIGTERM: ${status} ${body}`, recorded("client of in-flight"));
  assert.match(recorded("then worker:"), /"open" server exit/);
  await stopped;
  assert.equal((await worker.closed()).code, 1006);
});

checkComplete();
