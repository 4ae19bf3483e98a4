import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { until } from "../support/modelrelay/probe.ts";
import { answerBytes, chunkBytes, openChunkedBytes } from "../support/modelrelay/probe_server.ts";
import { type Answers, RelayStage } from "../support/modelrelay/relay_stage.ts";
import { RawClient, requestText } from "../support/raw_client.ts";

/** What clients get of what ModelRelay's workers answer. Numbers: ModelRelay's contracts. */

const JSON_TYPE = "content-type: application/json";
const SSE = "content-type: text/event-stream";
const STREAM = { body: { stream: true } };
const LAST_CHUNK = "0\r\n\r\n";
const says =
  (bytes: Uint8Array): Answers[string] =>
  (socket) =>
    socket.write(bytes);

let stage: RelayStage;
before(async () => {
  stage = await RelayStage.start();
});
after(async () => await stage?.[Symbol.asyncDispose]());

const STREAMS: [number: number, path: string, events: string[]][] = [
  [54, "/v1/chat/completions", ['data: {"delta":"a"}\n\n', 'data: {"delta":"b"}\n\n', "data: [DONE]\n\n"]],
  [
    55,
    "/v1/responses",
    ['event: response.created\ndata: {"n":1}\n\n', "event: done\ndata: 2\n\n", "data: [DONE]\n\n"],
  ],
  [
    56,
    "/v1/messages",
    ["event: message_start\ndata: {}\n\n", ": ping\n\n", "event: message_stop\ndata: {}\n\n"],
  ],
];

test("38 54 55 56 streams pass event by event, in order, with their content type, on all three paths", async () => {
  for (const [number, path, events] of STREAMS) {
    let stream: Socket | undefined;
    const answers: Answers = {
      "*": (socket) => {
        stream = socket;
        socket.write(openChunkedBytes("200 OK", [SSE], []));
      },
    };
    await stage.play({ answers }, async ({ ask }) => {
      const client = ask({ path, ...STREAM });
      await until(() => stream);
      for (const event of events) {
        stream!.write(chunkBytes(event));
        // Each is there before the next is made.
        await until(() => client.raw.includes(`${event}`));
      }
      stream!.write(LAST_CHUNK);
      const { status, headers, body } = await client.whole();
      const found = [status, headers["content-type"], headers["x-accel-buffering"], body];
      assert.deepEqual(found, [200, "text/event-stream", "no", events.join("")], `${number}`);
    });
  }
});

test("36 37 status, fields and body of any whole answer are the backend's, refusals too", async () => {
  const answers = {
    "/v1/messages": says(
      answerBytes("503 Loading", [JSON_TYPE, "retry-after: 7", "x-own: 1"], '{"error":"loading"}'),
    ),
    "*": says(answerBytes("200 OK", [JSON_TYPE, "x-own: 2"], '{"ok":"é"}')),
  };
  await stage.play({ answers }, async ({ answer }) => {
    const fine = await answer();
    const { "content-type": type, "x-own": own } = fine.headers;
    assert.deepEqual([fine.status, type, own, fine.body], [200, "application/json", "2", '{"ok":"é"}']);
    const refused = await answer({ path: "/v1/messages" });
    assert.deepEqual([refused.status, refused.headers["retry-after"]], [503, "7"]);
    assert.equal(refused.body, '{"error":"loading"}');
  });
});

test("36 37 token counts of a worker reach no client", async () => {
  const { socket, takes, ask } = await stage.hand();
  const client = ask();
  const { request_id } = await takes();
  const token_counts = { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 };
  const headers = { "content-type": "application/json" };
  socket.send({ type: "response_complete", request_id, status_code: 200, headers, body: "{}", token_counts });
  const { raw, body } = await client.whole();
  assert.equal(body, "{}");
  assert.doesNotMatch(raw, /token_counts|prompt_tokens/);
});

test("a stream without a byte is its status, fields and nothing else", async () => {
  const bytes = answerBytes("204 No Content", ["x-own: 1"], "");
  await stage.play({ answers: { "*": says(bytes) } }, async ({ answer }) => {
    const { status, headers, body } = await answer(STREAM);
    assert.deepEqual([status, headers["x-own"], body], [204, "1", ""]);
  });
});

test("a body after chunks is dropped, and so are chunks of what is not streamed, as in ModelRelay", async () => {
  const { socket, takes, ask } = await stage.hand();
  const flows = ask(STREAM);
  const first = (await takes()).request_id;
  socket.send({ type: "response_chunk", request_id: first, chunk: "data: 1\n\n" });
  socket.send({ type: "response_complete", request_id: first, status_code: 200, body: "more" });
  assert.equal((await flows.whole()).body, "data: 1\n\n");
  const whole = ask();
  const second = (await takes()).request_id;
  socket.send({ type: "response_chunk", request_id: second, chunk: "a piece" });
  socket.send({ type: "response_complete", request_id: second, status_code: 201, body: "the body" });
  const { status, body } = await whole.whole();
  assert.deepEqual([status, body], [201, "the body"]);
});

test("what begins like no event stream waits for its status, up to a megabyte, and goes then", async () => {
  const { socket, takes, ask } = await stage.hand();
  const client = ask(STREAM);
  const { request_id } = await takes();
  socket.send({ type: "response_chunk", request_id, chunk: '{"error":' });
  socket.send({ type: "response_chunk", request_id, chunk: '"no such model"}' });
  const headers = { "content-type": "application/json" };
  socket.send({ type: "response_complete", request_id, status_code: 422, headers, body: "" });
  const { status, body } = await client.whole();
  assert.deepEqual([status, body], [422, '{"error":"no such model"}']);
  const long = ask(STREAM);
  const second = (await takes()).request_id;
  socket.send({ type: "response_chunk", request_id: second, chunk: "x".repeat(1024 * 1024 + 1) });
  await until(() => long.raw.startsWith("HTTP/1.1 200"));
  socket.send({ type: "response_complete", request_id: second, status_code: 200, body: "" });
  assert.equal((await long.whole()).body.length, 1024 * 1024 + 1);
});

test("a character that two reads of the worker share is whole in an answer that is not streamed", async () => {
  let reply: Socket | undefined;
  const euro = new TextEncoder().encode("€");
  const answers: Answers = {
    "*": (socket) => {
      reply = socket;
      socket.write(openChunkedBytes("200 OK", [JSON_TYPE], [euro.subarray(0, 2)]));
    },
  };
  await stage.play({ answers }, async ({ ask }) => {
    const client = ask();
    await until(() => reply);
    reply!.write(chunkBytes(euro.subarray(2)));
    reply!.write(LAST_CHUNK);
    assert.equal((await client.whole()).body, "€");
  });
});

test("an answer that the backend codes unasked is refused, not passed on as garbage", async () => {
  const coded = answerBytes("200 OK", ["content-encoding: gzip"], gzipSync("coded"));
  await stage.play({ answers: { "*": says(coded) } }, async ({ answer }) => {
    const { status, body } = await answer();
    assert.deepEqual([status, JSON.parse(body).error.code], [502, "worker_invalid"]);
  });
});

test("a worker's error message fails its request, and without one is only logged", async () => {
  const { socket, takes, ask } = await stage.hand();
  const client = ask();
  const { request_id } = await takes();
  socket.send({ type: "error", code: "out_of_memory", message: "at 10.0.0.7" });
  socket.send({ type: "error", request_id, code: "upstream_error", message: "at 10.0.0.7" });
  const { status, body } = await client.whole();
  assert.deepEqual([status, JSON.parse(body).error.code], [502, "backend_broke_off"]);
  assert.doesNotMatch(body, /10\.0\.0\.7|upstream_error/);
  assert.equal(socket.end, undefined);
  await stage.relay.says(/out_of_memory/);
});

test("39 an answer that its client leaves waiting is broken off above 16 MiB, and the worker told to stop", async () => {
  const { socket, model, ask, takes } = await stage.hand();
  const text = requestText({ body: { model, stream: true } });
  await using client = await RawClient.sends(stage.relay.port, text);
  client.pause();
  const { request_id } = await takes();
  const chunk = `data: ${"x".repeat(1024 * 1024)}\n\n`;
  for (let sent = 0; sent < 40; sent++) socket.send({ type: "response_chunk", request_id, chunk });
  assert.match(await socket.next(), /^\{"type":"cancel",/);
  client.resume();
  await client.isClosed();
  assert.equal((await client.response()).complete, false);
  const next = ask();
  const second = (await takes()).request_id;
  socket.send({ type: "response_complete", request_id: second, status_code: 200, body: "next" });
  assert.equal((await next.whole()).body, "next");
});

test("no worker can answer the request of another", async () => {
  const [honest, liar] = [await stage.hand(), await stage.hand()];
  const client = honest.ask();
  const { request_id } = await honest.takes();
  liar.socket.send({ type: "response_complete", request_id, status_code: 200, body: "FORGED" });
  liar.socket.send({ type: "response_complete", request_id: "request-1", status_code: 200, body: "FORGED" });
  assert.deepEqual(await liar.socket.unread(), []);
  assert.equal(client.raw, "");
  honest.socket.send({ type: "response_complete", request_id, status_code: 200, body: "mine" });
  assert.equal((await client.whole()).body, "mine");
});

test("a binary message of a worker ends its link with 1002", async () => {
  const { socket } = await stage.hand();
  socket.socket.sendFrame(2, new Uint8Array([1, 2, 3]));
  assert.deepEqual(await socket.closed(), { code: 1002, reason: "worker registration protocol error" });
});
