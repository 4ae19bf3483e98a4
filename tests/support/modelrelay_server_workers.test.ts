import assert from "node:assert/strict";
import { FakeClock } from "./fake_clock.ts";
import { call, connectWorker, type HttpCall, until } from "./modelrelay/probe.ts";
import {
  comparable,
  complete,
  REGISTER,
  register,
  serverReplay,
  withoutUptime,
} from "./modelrelay/server_replay.ts";
import { OPCODE } from "./modelrelay/web_socket.ts";

const { block, checkComplete } = serverReplay("workers");

/** The recorder's way to print a close. */
function recordedClose(lines: string[]): { code: number; reason: string } {
  const text = lines.join(" ");
  const code = Number(/code"?: (\d+)|"code":(\d+)/.exec(text)?.slice(1).find(Boolean) ?? NaN);
  return { code, reason: /reason\\?"?: ?\\?"([^"\\]*)/.exec(text)![1]! };
}

const DUPLICATE: HttpCall = {
  path: "/v1/worker/connect?provider=a&provider=b",
  headers: {
    connection: "upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "k",
  },
};
block("duplicate query key", {}, async (server, [recorded]) => {
  assert.equal(await comparable(DUPLICATE, server), recorded);
});

const REFUSALS = {
  "wrong secret": { secret: "bad" },
  "missing secret": {},
  "unknown provider": { secret: "sek", query: "?provider=other" },
};
for (const [title, options] of Object.entries(REFUSALS)) {
  block(title, {}, async (server, lines) => {
    const worker = await connectWorker(server.url, options);
    assert.deepEqual(await worker.closed(), recordedClose(lines));
  });
}

block(
  "third failure then rate limited with good secret",
  { clock: new FakeClock() },
  async (server, lines) => {
    for (let count = 0; count < 3; count++) {
      assert.equal(
        (await (await connectWorker(server.url, { secret: "bad" })).closed()).reason,
        "worker authentication failed",
      );
    }
    assert.deepEqual(
      await (await connectWorker(server.url, { secret: "sek" })).closed(),
      recordedClose(lines),
    );
  },
);

block("query secret, no provider", {}, async (server, [recorded]) => {
  const worker = await connectWorker(server.url, { query: "?worker_secret=sek" });
  worker.send(REGISTER);
  assert.equal(await worker.next(), recorded);
});

block(
  "api key as worker secret, arbitrary provider",
  { apiKeys: ["mr_live_x"], firstWorker: 2 },
  async (server, [ack, workers]) => {
    const worker = await connectWorker(server.url, { secret: "mr_live_x", query: "?provider=whatever" });
    worker.send(REGISTER);
    assert.equal(await worker.next(), ack);
    const { body } = await call(server.url, { path: "/admin/workers", headers: { authorization: "adm" } });
    assert.equal(body, workers);
  },
);

block("register full ack + unknown fields", { firstWorker: 3 }, async (server, [ack, health, models]) => {
  const worker = await connectWorker(server.url, { secret: "sek" });
  worker.send({ ...REGISTER, models: [" m ", "m", "", "*", "n"], mystery: { x: [1] }, current_load: 0 });
  assert.equal(await worker.next(), ack);
  const read = async (path: string) => (await call(server.url, { path })).body;
  assert.equal(withoutUptime(await read("/health")), withoutUptime(health!));
  assert.equal(await read("/v1/models"), models);
});

block(
  "register minimal (no version, no load), empty name, max 0",
  { firstWorker: 4 },
  async (server, [ack, workers]) => {
    const worker = await connectWorker(server.url, { secret: "sek" });
    worker.send({ type: "register", worker_name: " ", models: [" "], max_concurrent: 0 });
    assert.equal(await worker.next(), ack);
    const { body } = await call(server.url, { path: "/admin/workers", headers: { authorization: "adm" } });
    assert.equal(body, workers);
  },
);

const FIRST_MESSAGES: Record<string, string> = {
  "first msg: missing max_concurrent": '{"type":"register","worker_name":"w","models":["m"]}',
  "first msg: float max_concurrent 1.0":
    '{"type":"register","worker_name":"w","models":["m"],"max_concurrent":1.0}',
  "first msg: wrong version": JSON.stringify({ ...REGISTER, protocol_version: "1" }),
  "first msg: not register first": '{"type":"pong","current_load":0}',
};
for (const [title, message] of Object.entries(FIRST_MESSAGES)) {
  block(title, {}, async (server, lines) => {
    const worker = await connectWorker(server.url, { secret: "sek" });
    worker.send(message);
    const recorded = JSON.parse(JSON.parse(/undefined, ("\{.*\}")/.exec(lines[0]!)![1]!));
    assert.deepEqual(await worker.closed(), recorded);
    assert.deepEqual(worker.texts, []);
  });
}

block("first msg: null version ok?", { firstWorker: 5 }, async (server, lines) => {
  const worker = await connectWorker(server.url, { secret: "sek" });
  worker.send({ ...REGISTER, protocol_version: null });
  assert.equal(await worker.next(), JSON.parse(/\[ ("\{.*?\}"),/.exec(lines[0]!)![1]!));
  // The 1006 of the recording is its own probe leaving.
});

block("WS ping before register", {}, async (server, lines) => {
  const worker = await connectWorker(server.url, { secret: "sek" });
  worker.socket.sendFrame(OPCODE.ping);
  assert.deepEqual(await worker.closed(), JSON.parse(lines[0]!));
});

const TOO_LONG = 17 * 1024 * 1024;
const chunkOf = (bytes: number) => ({ type: "pong", current_load: 0, filler: "x".repeat(bytes - 60) });
const AFTER_REGISTER: Record<string, string | object> = {
  "after register: error msg": { type: "error", code: "upstream_error", message: "m" },
  "after register: unknown type": { type: "mystery" },
  "after register: second register": REGISTER,
  "after register: chunk unknown request": { type: "response_chunk", request_id: "nope", chunk: "x" },
  "after register: complete unknown request": complete("nope"),
  "after register: pong without load": { type: "pong" },
  "after register: unsolicited pong": { type: "pong", current_load: 0 },
  "after register: models_update w/o load": { type: "models_update", models: [] },
  "after register: headers null": complete("nope", { headers: null }),
  "after register: lone surrogate":
    '{"type":"response_complete","request_id":"nope","status_code":200,"body":"\\ud800"}',
  "17MiB frame": chunkOf(TOO_LONG),
  "15MiB frame": chunkOf(15 * 1024 * 1024),
};
for (const [title, message] of Object.entries(AFTER_REGISTER)) {
  block(title, {}, async (server, [recorded]) => {
    const worker = await register(server);
    worker.send(message);
    // What is open after this answer was open after that message.
    worker.socket.sendFrame(OPCODE.ping);
    await until(() => worker.pongs.length > 0 || worker.end);
    assert.equal(JSON.stringify(worker.end ?? "still open"), recorded);
  });
}

block("binary frame", {}, async (server, [recorded]) => {
  const worker = await register(server);
  worker.socket.sendFrame(OPCODE.binary, new Uint8Array([1]));
  assert.deepEqual(await worker.closed(), JSON.parse(recorded!));
});

block("WS ping after register", {}, async (server, [recorded]) => {
  const worker = await register(server);
  worker.socket.sendFrame(OPCODE.ping);
  await until(() => worker.pongs.length > 0);
  assert.equal(recorded, '[ "\\"still open\\"", "pong seen:", true ]');
  assert.equal(worker.end, undefined);
});

checkComplete();
