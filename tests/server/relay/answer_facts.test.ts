import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import process from "node:process";
import { test } from "node:test";
import { AnswerFacts } from "../../../server/relay/answer_facts.ts";

const JSON_TYPE = "application/json; charset=utf-8";
const STREAM_TYPE = "text/event-stream";

interface Facts {
  method?: string;
  path?: string;
  status?: number;
  type?: string | undefined;
  encoding?: string;
}

function observe({ method = "POST", path = "/v1/chat/completions", status = 200, ...rest }: Facts = {}) {
  const { type = JSON_TYPE, encoding } = rest;
  const headers: [string, string][] = [["X-Other", "1"]];
  if (type !== "") headers.push(["Content-Type", type]);
  if (encoding !== undefined) headers.push(["Content-Encoding", encoding]);
  const ids: string[] = [];
  const facts = AnswerFacts.of({ method, path, head: { status, headers }, kept: (id) => ids.push(id) });
  return { facts, ids };
}

/** What is learned of a body in these chunks, which are overwritten as soon as they were given. */
function learn(facts: Facts, chunks: readonly Uint8Array[]) {
  const { facts: observer, ids } = observe(facts);
  for (const chunk of chunks) {
    const lent = Buffer.from(chunk);
    observer!.data(lent);
    lent.fill(0x21);
  }
  return { tokens: observer!.end(), ids };
}

const whole = (facts: Facts, body: string) => learn(facts, [Buffer.from(body)]);

/** The same at every border, and byte by byte. */
function learnAnyhow(facts: Facts, body: string) {
  const bytes = Buffer.from(body);
  const expected = learn(facts, [bytes]);
  assert.deepEqual(
    learn(
      facts,
      Array.from(bytes, (byte) => Uint8Array.of(byte)),
    ),
    expected,
  );
  for (let at = 0; at <= bytes.length; at++) {
    assert.deepEqual(learn(facts, [bytes.subarray(0, at), bytes.subarray(at)]), expected, `cut at ${at}`);
  }
  return expected;
}

const NOTHING_TO_LEARN: readonly (Facts & { name: string })[] = [
  { name: "another method", method: "GET" },
  { name: "a failure", status: 429 },
  { name: "a redirect", status: 302 },
  { name: "audio", type: "audio/mpeg" },
  { name: "text", type: "text/plain" },
  { name: "no type", type: "" },
  { name: "a compressed body", encoding: "gzip" },
  { name: "a follow-up, which repeats the usage of an older answer", path: "/v1/responses/resp_1/cancel" },
];

for (const { name, ...facts } of NOTHING_TO_LEARN) {
  test(`of() is undefined for ${name}`, () => assert.equal(observe(facts).facts, undefined));
}

const event = (data: unknown, name?: string) =>
  `${name === undefined ? "" : `event: ${name}\n`}data: ${JSON.stringify(data)}\n\n`;
const chunkEvent = (content: string) => event({ choices: [{ index: 0, delta: { content } }] });

const USAGES: readonly { name: string; facts?: Facts; body: string; tokens: number | undefined }[] = [
  {
    name: "a chat completion",
    body: '{"id":"c","choices":[{"message":{"content":"hi"}}],"usage":{"prompt_tokens":9,"completion_tokens":34,"total_tokens":43}}',
    tokens: 34,
  },
  {
    name: "spaces and details",
    body: '{"usage" : {\n  "completion_tokens" :\n 12,\n "completion_tokens_details": {"reasoning_tokens": 7}}}',
    tokens: 12,
  },
  {
    name: "a problem's own JSON type",
    facts: { type: "application/vnd.x+json" },
    body: '{"usage":{"output_tokens":5}}',
    tokens: 5,
  },
  {
    name: "Anthropic's message",
    facts: { path: "/v1/messages" },
    body: '{"id":"msg_1","content":[],"usage":{"input_tokens":8,"output_tokens":21}}',
    tokens: 21,
  },
  {
    name: "Ollama's lines",
    facts: { path: "/api/chat", type: "application/x-ndjson" },
    body: '{"message":{"content":"a"},"done":false}\n{"done":true,"prompt_eval_count":40,"eval_count":17,"eval_duration":5}\n',
    tokens: 17,
  },
  { name: "usage that is only quoted", body: '{"content":"\\"completion_tokens\\":99"}', tokens: undefined },
  { name: "no usage", body: '{"data":[{"embedding":[0.1]}]}', tokens: undefined },
  { name: "usage that is not known", body: '{"usage":{"completion_tokens":null}}', tokens: undefined },
  { name: "one token", body: '{"usage":{"completion_tokens":1}}', tokens: undefined },
  { name: "nothing", body: "", tokens: undefined },
  {
    name: "a stream without usage",
    facts: { type: STREAM_TYPE },
    body: `: ping\n\n${chunkEvent("a")}${chunkEvent("b")}: ping\n\n${chunkEvent("c")}`,
    tokens: 3,
  },
  {
    name: "a stream with CRLF",
    facts: { type: STREAM_TYPE },
    body: `: ping\n\n${chunkEvent("a")}${chunkEvent("b")}`.replaceAll("\n", "\r\n"),
    tokens: 2,
  },
  { name: "a stream of one event", facts: { type: STREAM_TYPE }, body: chunkEvent("a"), tokens: undefined },
  {
    name: "a stream whose last events say it",
    facts: { type: STREAM_TYPE },
    body: `${chunkEvent("a")}${event({ choices: [], usage: { completion_tokens: 55 } })}data: [DONE]\n\n`,
    tokens: 55,
  },
  {
    name: "a stream that counts up",
    facts: { type: STREAM_TYPE, path: "/v1/messages" },
    body: `${event({ message: { usage: { output_tokens: 1 } } }, "message_start")}${event({ usage: { output_tokens: 15 } }, "message_delta")}${event({ type: "message_stop" }, "message_stop")}`,
    tokens: 15,
  },
];

for (const { name, facts = {}, body, tokens } of USAGES) {
  test(`end() gives the tokens of ${name}`, () => {
    assert.deepEqual(learnAnyhow(facts, body), { tokens, ids: [] });
  });
}

test("end() finds usage in the last 4 KiB only", () => {
  const usage = '{"usage":{"completion_tokens":34},"rest":"';
  assert.equal(whole({}, `${usage}${"x".repeat(4_000)}"}`).tokens, 34);
  assert.equal(whole({}, `${usage}${"x".repeat(5_000)}"}`).tokens, undefined);
});

const RESPONSE = { id: "resp_1", object: "response", output: [{ id: "msg_1" }] };
const STREAM: Facts = { path: "/v1/responses", type: STREAM_TYPE };
const FIRST = event({ type: "response.created", response: RESPONSE }, "response.created");

const KEPT: readonly { name: string; facts: Facts; body: string; ids: string[] }[] = [
  { name: "a response", facts: { path: "/v1/responses" }, body: JSON.stringify(RESPONSE), ids: ["resp_1"] },
  {
    name: "a file, 201, its id last",
    facts: { path: "/v1/files", status: 201 },
    body: '{"object":"file","meta":{"id":"no"},"id":"file_1"}',
    ids: ["file_1"],
  },
  {
    name: "a file of a vector store",
    facts: { path: "/v1/vector_stores/vs_1/files" },
    body: '{"id":"file_1"}',
    ids: ["file_1"],
  },
  { name: "no chat completion", facts: {}, body: '{"id":"chatcmpl_1"}', ids: [] },
  { name: "no id", facts: { path: "/v1/files" }, body: '{"data":[{"id":"file_1"}]}', ids: [] },
  { name: "no text as id", facts: { path: "/v1/files" }, body: '{"id":7}', ids: [] },
  { name: "no JSON", facts: { path: "/v1/files" }, body: "id", ids: [] },
  {
    name: "a streamed response",
    facts: STREAM,
    body: `: ping\n\n${FIRST}${event({ type: "response.output_item.added", item: { id: "msg_1" } })}`,
    ids: ["resp_1"],
  },
  {
    name: "a streamed response with spaces",
    facts: STREAM,
    body: 'data: {"type": "response.created", "response" : {"output": [{"id": "no"}], "id": "resp_1"}}\r\n\r\n',
    ids: ["resp_1"],
  },
  {
    name: "no later event",
    facts: STREAM,
    body: `${event({ type: "other", id: "no" })}${FIRST}`,
    ids: [],
  },
  { name: "no stream of something else", facts: { type: STREAM_TYPE }, body: FIRST, ids: [] },
];

for (const { name, facts, body, ids } of KEPT) {
  test(`kept() is told of ${name}`, () => assert.deepEqual(learnAnyhow(facts, body).ids, ids));
}

test("kept() is called as soon as a stream names its id", () => {
  const { facts, ids } = observe(STREAM);
  facts!.data(Buffer.from(FIRST.slice(0, -1)));
  assert.deepEqual(ids, []);
  facts!.data(Buffer.from("\n"));
  assert.deepEqual(ids, ["resp_1"]);
  facts!.data(Buffer.from(FIRST));
  facts!.end();
  assert.deepEqual(ids, ["resp_1"]);
});

test("kept() is told of an id within the first 64 KiB of a longer body, however long", () => {
  const facts = { path: "/v1/responses" };
  const long = "x".repeat(60_000);
  const longer = "x".repeat(70_000);
  assert.deepEqual(whole(facts, `{"text":"${long}","id":"resp_1","output":"${long}"}`).ids, ["resp_1"]);
  assert.deepEqual(whole(facts, `{"text":"${longer}","id":"resp_1"}`).ids, []);
  const created = event({ response: { id: "resp_1", instructions: longer } });
  assert.deepEqual(whole(STREAM, created).ids, ["resp_1"]);
});

test("a long body costs no memory", () => {
  const chunk = new Uint8Array(64 * 1024).fill(0x78);
  for (const type of [JSON_TYPE, STREAM_TYPE]) {
    const { facts } = observe({ path: "/v1/responses", type });
    const before = process.memoryUsage().rss;
    for (let at = 0; at < 4_096; at++) facts!.data(chunk);
    const grownMiB = (process.memoryUsage().rss - before) / 2 ** 20;
    assert.ok(grownMiB < 64, `${type}: ${grownMiB} MiB of 256`);
    assert.equal(facts!.end(), undefined);
  }
});
