import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { test } from "node:test";
import { until } from "../support/modelrelay/probe.ts";
import {
  answerBytes,
  chunkBytes,
  chunkedBytes,
  openChunkedBytes,
} from "../support/modelrelay/probe_server.ts";
import type { Answers } from "../support/modelrelay/relay_stage.ts";
import { ServerStage, workerByHand } from "../support/modelrelay/server_stage.ts";
import { readFromWorker } from "../support/modelrelay/wire.ts";

/** What our worker owes ModelRelay's server: the rules W1 to W14 of `tests/support/modelrelay/README.md`. */

const JSON_TYPE = "content-type: application/json";
const SSE = "content-type: text/event-stream";
const STREAM = { body: { stream: true } };
const MIB = 1024 * 1024;
const says =
  (bytes: Uint8Array): Answers[string] =>
  (socket) =>
    socket.write(bytes);
const BEGINS = says(openChunkedBytes("200 OK", [SSE], ["data: 1\n\n"]));
const HELLO = says(answerBytes("200 OK", [JSON_TYPE], '{"hello":1}'));

test("W1, W2, W12, W14: through a whole life a server is sent five types, each as ModelRelay reads it", async () => {
  const answers = {
    "/v1/responses": BEGINS,
    "/v1/messages": (socket: Socket) => socket.destroy(),
    "*": HELLO,
  };
  const stage = await workerByHand({ answers, flags: ["--max-concurrency=4", "--zdr"] });
  await using _ = stage;
  const { socket, request, worker } = stage;
  assert.deepEqual(stage.early, []);
  const { worker_name, max_concurrent, protocol_version, labels } = JSON.parse(stage.register);
  assert.deepEqual([worker_name, max_concurrent, protocol_version], ["worker", 4, "2026-04-bridge-v1"]);
  assert.deepEqual(labels, { zdr: true }, "a member that ModelRelay does not know");
  const sent = () => socket.texts.map((text) => readFromWorker(text));
  const completed = (id: string) =>
    sent().find((message) => message.type === "response_complete" && message.request_id === id);
  request("whole");
  request("fails", { endpoint_path: "/v1/messages" });
  request("flows", { endpoint_path: "/v1/responses", is_streaming: true });
  await until(() => sent().some(({ type }) => type === "response_chunk"));
  socket.send({ type: "cancel", request_id: "flows", reason: "client_disconnect" });
  socket.send({ type: "cancel", request_id: "unknown", reason: { other: "why not" } });
  socket.send({ type: "ping", timestamp_unix_ms: 1712345678901 });
  socket.send({ type: "models_refresh" });
  await until(() => ["whole", "fails", "flows"].every(completed));
  await until(() => sent().some(({ type }) => type === "models_update"));
  worker.signal("SIGTERM");
  assert.deepEqual(await socket.closed(), { code: 1000, reason: "worker stops" });
  const types = sent().map(({ type }) => type);
  assert.deepEqual(types.indexOf("register"), types.lastIndexOf("register"));
  const expected = ["register", "pong", "response_complete", "response_chunk", "models_update"];
  assert.deepEqual(new Set(types), new Set(expected));
  assert.ok(socket.texts.includes('{"type":"pong","current_load":0,"timestamp_unix_ms":1712345678901}'));
  assert.equal(stage.binaries(), 0);
});

test("W3, W4: a cancel is answered with 499, the slot is free, and no late chunk ends the link", async () => {
  let stream: Socket | undefined;
  const answers: Answers = {
    "/v1/responses": (socket) => {
      stream = socket;
      socket.write(openChunkedBytes("200 OK", [SSE], ["data: 1\n\n"]));
    },
    "*": HELLO,
  };
  await using stage = await ServerStage.start({ answers });
  const leaver = stage.ask({ path: "/v1/responses", ...STREAM });
  await until(() => leaver.raw.includes("data: 1"));
  leaver.leave();
  for (let late = 0; late < 20; late++) stream!.write(chunkBytes("data: late\n\n"));
  await until(() => stage.server.state.workers[0]?.inFlight.size === 0);
  assert.equal((await stage.answer()).status, 200);
  await until(() => stage.backend.left > 0);
  stage.isUnbroken();
});

test("W4: what is cancelled before its first byte frees its slot too", async () => {
  await using stage = await ServerStage.start({ answers: { "/v1/responses": () => {}, "*": HELLO } });
  const leaver = stage.ask({ path: "/v1/responses" });
  await until(() => stage.backend.requests.length === 1);
  leaver.leave();
  assert.equal((await stage.answer()).body, '{"hello":1}');
  stage.isUnbroken();
});

test("W5: a backend that is gone or breaks off costs its own request only, in the dialect of its path", async () => {
  const answers = { "/v1/messages": (socket: Socket) => socket.destroy(), "/v1/responses": BEGINS };
  await using stage = await ServerStage.start({ answers, flags: ["--max-concurrency=2"] });
  const running = stage.ask({ path: "/v1/responses", ...STREAM });
  await until(() => running.raw.includes("data: 1"));
  const broken = await stage.answer({ path: "/v1/messages" });
  assert.deepEqual([broken.status, JSON.parse(broken.body).error.code], [502, "backend_broke_off"]);
  assert.equal(JSON.parse(broken.body).type, "error");
  stage.backend.stop();
  await until(() => running.answer);
  assert.match(running.answer!.body, /^data: 1\n\nevent: error\ndata: \{.*"backend_broke_off".*\}\n\n$/);
  const gone = await stage.answer();
  assert.deepEqual([gone.status, JSON.parse(gone.body).error.code], [502, "backend_unreachable"]);
  stage.isUnbroken();
});

test("W6: a refusal of a stream keeps its status, fields and body, also without a content type of JSON", async () => {
  const answers = {
    "/v1/responses": says(answerBytes("400 Bad Request", [JSON_TYPE, "x-own: 1"], '{"error":"no"}')),
    "*": says(answerBytes("429 Slow Down", [SSE, "retry-after: 7"], "data: slow\n\n")),
  };
  await using stage = await ServerStage.start({ answers });
  const refused = await stage.answer({ path: "/v1/responses", ...STREAM });
  const { "content-type": type, "x-own": own } = refused.headers;
  assert.deepEqual(
    [refused.status, type, own, refused.body],
    [400, "application/json", "1", '{"error":"no"}'],
  );
  const slow = await stage.answer(STREAM);
  assert.deepEqual([slow.status, slow.headers["retry-after"], slow.body], [429, "7", "data: slow\n\n"]);
  stage.isUnbroken();
});

test("W7: the answer of a backend that uses chunks reaches the client", async () => {
  const fields = [JSON_TYPE, "connection: x-named", "x-named: 1", "keep-alive: timeout=5", "x-own: 1"];
  const answers = { "*": says(chunkedBytes("201 Created", fields, ["[1,", "2]"])) };
  await using stage = await ServerStage.start({ answers });
  const { status, headers, body } = await stage.answer();
  assert.deepEqual([status, body, headers["x-own"], headers["x-named"]], [201, "[1,2]", "1", undefined]);
  stage.isUnbroken();
});

test("W10: SIGTERM empties the model list, finishes what runs and what still comes, and closes with 1000", async () => {
  let finish = () => {};
  const answers: Answers = {
    "/v1/responses": (socket) => {
      finish = () => socket.write(answerBytes("200 OK", [], "finished"));
    },
    "*": HELLO,
  };
  const stage = await workerByHand({ answers, flags: ["--max-concurrency=2"] });
  await using _ = stage;
  const { socket, worker, request, backend } = stage;
  request("running", { endpoint_path: "/v1/responses" });
  await until(() => backend.requests.length === 1);
  worker.signal("SIGTERM");
  await until(() => socket.texts.includes('{"type":"models_update","models":[],"current_load":1}'));
  request("late");
  // Who asks for the models of a worker that leaves must not be told that it stays.
  socket.send({ type: "models_refresh" });
  await until(() => socket.texts.some((text) => text.includes('"late"')));
  finish();
  assert.deepEqual(await socket.closed(), { code: 1000, reason: "worker stops" });
  const answered = socket.texts.filter((text) => text.includes("response_complete"));
  assert.deepEqual(
    answered.map((text) => JSON.parse(text).body),
    ['{"hello":1}', "finished"],
  );
  const updates = socket.texts.filter((text) => text.includes("models_update"));
  for (const update of updates) assert.deepEqual(JSON.parse(update).models, []);
  assert.equal(await worker.exited, 0);
});

test("W11: 14 MiB pass in one frame, more is a 502, and a character that two reads share stays whole", async () => {
  const euro = Buffer.from("data: €\n\n");
  let stream: Socket | undefined;
  const answers: Answers = {
    "/v1/messages": says(answerBytes("200 OK", [], "y".repeat(16 * MIB))),
    "/v1/responses": (socket) => {
      stream = socket;
      socket.write(openChunkedBytes("200 OK", [SSE], [euro.subarray(0, 7)]));
    },
    "*": says(answerBytes("200 OK", [], "x".repeat(14 * MIB))),
  };
  await using stage = await ServerStage.start({ answers });
  assert.equal((await stage.answer()).body.length, 14 * MIB);
  const { status, body } = await stage.answer({ path: "/v1/messages" });
  assert.deepEqual([status, JSON.parse(body).error.code], [502, "link_overflow"]);
  const split = stage.ask({ path: "/v1/responses", ...STREAM });
  await until(() => split.raw.includes("data: "));
  stream!.write(Buffer.concat([chunkBytes(euro.subarray(7)), Buffer.from("0\r\n\r\n")]));
  assert.equal((await split.whole()).body, "data: €\n\n");
  stage.isUnbroken();
});

test("W13: a server that goes without a word is connected to again", async () => {
  await using stage = await ServerStage.start({ answers: { "*": HELLO } });
  for (const session of stage.server.sessions) session.drop();
  for (const worker of [...stage.server.state.workers]) stage.server.state.disconnect(worker);
  await stage.worker.says(/The link ended .*code=1006/);
  await until(() => stage.server.state.workers.length === 1);
  assert.equal((await stage.answer()).status, 200);
});
