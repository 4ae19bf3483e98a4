import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { test } from "node:test";
import { until } from "../support/modelrelay/probe.ts";
import {
  answerBytes,
  BackendProbe,
  chunkBytes,
  openChunkedBytes,
  RelayProbe,
} from "../support/modelrelay/probe_server.ts";
import { type Answers, SECRET } from "../support/modelrelay/relay_stage.ts";
import { RustServer } from "../support/modelrelay/rust_server.ts";
import { ServerStage, workerByHand } from "../support/modelrelay/server_stage.ts";
import { WorkerProgram } from "../support/program.ts";

/** Our worker at ModelRelay's server, from the handshake to the server's own drain. */

const SSE = "content-type: text/event-stream";
const STREAM = { body: { stream: true } };
const LAST_CHUNK = "0\r\n\r\n";
const HELLO: Answers = { "*": (socket) => socket.write(answerBytes("200 OK", [], "hello")) };
const MODELS: Answers = {
  "/v1/models": (socket) => socket.write(answerBytes("200 OK", [], '{"data":[{"id":"a"},{"id":"b"}]}')),
};

/** A stream that has begun, and how to go on with it. */
async function begun() {
  let stream: Socket | undefined;
  const stage = await ServerStage.start({
    answers: {
      "/v1/responses": (socket) => {
        stream = socket;
        socket.write(openChunkedBytes("200 OK", [SSE], ["data: 1\n\n"]));
      },
      ...HELLO,
    },
  });
  const client = stage.ask({ path: "/v1/responses", ...STREAM });
  await until(() => client.raw.includes("data: 1"));
  return { stage, client, stream: stream! };
}

test("the handshake: a base path is kept, the provider is encoded, nothing is asked for that ModelRelay has not", async () => {
  const probe = await RelayProbe.start();
  const flags = ["--models=m", "--backend-url=http://127.0.0.1:1", "--provider=my gpu/ü&x=1"];
  const command = ["worker", "--proxy-url", `${probe.url}/base//`, ...flags];
  await using worker = new WorkerProgram(command, { env: { WORKER_SECRET: SECRET } });
  const socket = await probe.worker();
  const { firstLine, headers } = probe.workers[0]!.head;
  const target = "/base/v1/worker/connect?provider=my%20gpu%2F%C3%BC%26x%3D1";
  assert.equal(firstLine, `GET ${target} HTTP/1.1`);
  const found = new Map(headers);
  assert.equal(found.get("x-worker-secret"), SECRET);
  for (const name of ["origin", "sec-websocket-protocol"]) assert.equal(found.get(name), undefined, name);
  assert.match(await socket.next(), /^\{"type":"register"/);
  assert.equal(worker.child.exitCode, null);
  probe.stop();
});

test("a wrong secret is a close with 1008, after which the worker tries again", async () => {
  const server = await RustServer.start({ workerSecret: "another" });
  const command = ["worker", "--proxy-url", server.url, "--backend-url=http://127.0.0.1:1", "--models=m"];
  await using worker = new WorkerProgram(command, { env: { WORKER_SECRET: SECRET } });
  await worker.says(/The relay refuses the worker secret/);
  assert.equal(worker.child.exitCode, null);
  server.kill();
});

test("what ModelRelay's server passes on of a client's framing and codings stops at the worker", async () => {
  const stage = await workerByHand({ answers: HELLO });
  await using _ = stage;
  const headers = {
    "transfer-encoding": "chunked",
    "content-length": "999",
    "accept-encoding": "gzip",
    expect: "100-continue",
    connection: "x-named",
    "x-named": "1",
    host: "relay.example",
    authorization: "Bearer b",
    "x-own": "1",
  };
  stage.request("r", { body: '{"é":1}', headers, endpoint_path: "/v1/messages?beta=true" });
  await until(() => stage.backend.requests.length === 1);
  const { method, path, headers: seen, body } = stage.backend.requests[0]!;
  assert.deepEqual([method, path, body], ["POST", "/v1/messages?beta=true", '{"é":1}']);
  const { host, ...rest } = seen;
  assert.equal(host, new URL(stage.backend.url).host);
  assert.deepEqual(rest, { authorization: "Bearer b", "content-length": "8", "x-own": "1" });
});

test("slots are filled and no more, and a stream and a whole answer run side by side", async () => {
  const { stage, client, stream } = await begun();
  await using _ = stage;
  const waiting = stage.ask();
  await until(() => stage.server.state.queueDepth === 1);
  stream.write(chunkBytes("data: 2\n\n"));
  await until(() => client.raw.includes("data: 2"));
  assert.equal(stage.backend.requests.length, 1);
  stream.write(LAST_CHUNK);
  assert.equal((await client.whole()).body, "data: 1\n\ndata: 2\n\n");
  assert.equal((await waiting.whole()).body, "hello");
  stage.isUnbroken();
});

test("models_refresh: named models stay, with * the backend's list is the answer", async () => {
  const named = await workerByHand({ answers: MODELS });
  await using _named = named;
  named.socket.send({ type: "models_refresh", reason: "an operator asked" });
  const update = '{"type":"models_update","models":["m"],"current_load":0}';
  await until(() => named.socket.texts.includes(update));
  const wild = await workerByHand({ answers: MODELS, flags: ["--models=*"] });
  await using _wild = wild;
  assert.deepEqual(JSON.parse(wild.register).models, ["a", "b"]);
  wild.socket.send({ type: "models_refresh" });
  const backends = '{"type":"models_update","models":["a","b"],"current_load":0}';
  await until(() => wild.socket.texts.includes(backends));
});

test("graceful_shutdown: what runs is finished, then the server closes, and the worker comes back", async () => {
  const { stage, client, stream } = await begun();
  await using _ = stage;
  stage.server.session("worker-1").drain(30, "maintenance");
  await stage.worker.says(/relay is leaving/);
  stream.write(chunkBytes("data: 2\n\n"));
  stream.write(LAST_CHUNK);
  assert.equal((await client.whole()).body, "data: 1\n\ndata: 2\n\n");
  await stage.worker.says(/The link ended .*code=1000 .*graceful shutdown complete/);
  await until(() => stage.server.state.workers.some(({ id }) => id === "worker-2"));
  assert.equal((await stage.answer()).body, "hello");
});

test("graceful_shutdown over its deadline: the backend's work is aborted", async () => {
  const { stage } = await begun();
  await using _ = stage;
  stage.server.session("worker-1").drain(0.2);
  await stage.worker.says(/The link ended .*code=1000 .*graceful shutdown timed out/);
  await until(() => stage.backend.left > 0);
});

test("a server that goes in the middle of a stream: the backend's work is aborted", async () => {
  const { stage, client } = await begun();
  await using _ = stage;
  stage.server.kill();
  await until(() => stage.backend.left > 0);
  assert.equal(client.answer, undefined);
});

test("two workers share what ModelRelay's server has", async () => {
  const stage = await ServerStage.start({ answers: HELLO });
  await using _ = stage;
  const other = await BackendProbe.start(HELLO);
  const flags = ["--models=m", "--worker-name=second"];
  await using _second = await WorkerProgram.start(stage.server.url, other.url, flags, {
    env: { WORKER_SECRET: SECRET },
  });
  for (let round = 0; round < 4; round++) assert.equal((await stage.answer()).status, 200);
  assert.deepEqual([stage.backend.requests.length, other.requests.length], [2, 2]);
  other.stop();
});
