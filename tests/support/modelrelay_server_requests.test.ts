import assert from "node:assert/strict";
import { HttpProbe, shown, until } from "./modelrelay/probe.ts";
import type { RustServer } from "./modelrelay/rust_server.ts";
import { CHAT, chunk, complete, post, register, STREAMED, serverReplay } from "./modelrelay/server_replay.ts";
import { withoutDate } from "./modelrelay/transcript.ts";

const { block, checkComplete } = serverReplay("requests");

block("request envelope + unary response + odd headers", {}, async (server, [request, answer]) => {
  const worker = await register(server);
  const client = new HttpProbe(
    server.url,
    post(CHAT, '{"model":"m","messages":[]}', {
      "x-foo": "Foo",
      "X-Foo": "Bar",
      Authorization: "Bearer k",
      accept: "*/*",
      "accept-encoding": "gzip",
      cookie: "a=b",
      "user-agent": "Bun/1.4.5",
    }),
  );
  assert.equal(await worker.next(), request);
  worker.send(complete("request-1", { headers: { "transfer-encoding": "chunked" }, body: "{}" }));
  assert.match(answer!, /^EXC TypeError: ECONNRESET/);
  await assert.rejects(client.whole(), /closed/);
});

block("raw: backend transfer-encoding header echoed", { firstRequest: 2 }, async (server, [request, raw]) => {
  const worker = await register(server);
  const client = new HttpProbe(
    server.url,
    post(CHAT, '{"model":"m"}', { "content-type": "application/json" }),
  );
  assert.equal(await worker.next(), request);
  worker.send(complete("request-2", { headers: { "transfer-encoding": "chunked" }, body: "{}" }));
  await assert.rejects(client.whole(), /closed/);
  assert.equal(JSON.stringify(client.raw), raw);
});

/** The whole answer as it stood on the wire. */
async function rawAnswer(server: RustServer, answer: object): Promise<string> {
  const worker = await register(server);
  const client = new HttpProbe(server.url, post(CHAT, '{"model":"m"}'));
  const { request_id } = JSON.parse(await worker.next());
  worker.send({ ...answer, request_id });
  await until(() => client.answer || client.closed || client.raw.endsWith("{}"));
  client.leave();
  return JSON.stringify(withoutDate(client.raw));
}

block("raw: content-length mismatch", {}, async (server, [raw]) => {
  const answer = complete("", { headers: { "content-length": "99" }, body: "{}" });
  assert.equal(await rawAnswer(server, answer), raw);
});

block("raw: status 299 + bad header name", {}, async (server, [raw]) => {
  const answer = complete("", { status_code: 299, headers: { "bad name": "1", "x-ok": "1" }, body: "{}" });
  assert.equal(await rawAnswer(server, answer), raw);
});

block("raw: streaming headers", { firstRequest: 5 }, async (server, [request, raw]) => {
  const body = '{"model":"m","stream":true}';
  const worker = await register(server);
  const client = new HttpProbe(server.url, post("/v1/messages", body));
  assert.equal(await worker.next(), request);
  worker.send({ type: "response_chunk", request_id: "request-5", chunk: "data: x\n\n" });
  worker.send(complete("request-5", { headers: { "x-lost": "1" }, body: "" }));
  await client.whole();
  assert.equal(JSON.stringify(withoutDate(client.raw)), raw);
});

block("status_code 0 / 1000", {}, async (server, lines) => {
  assert.equal(lines.length, 6);
  const worker = await register(server);
  for (const line of lines) {
    const [status, recorded] = [Number.parseInt(line, 10), line.slice(line.indexOf(" ") + 1)];
    const client = new HttpProbe(server.url, post(CHAT, '{"model":"m"}'));
    const { request_id } = JSON.parse(await worker.next());
    worker.send(complete(request_id, { status_code: status, body: "abc" }));
    assert.equal(withoutDate(shown(await client.whole())), recorded);
  }
});

async function shownAnswer(server: RustServer, body: string, answers: object[]): Promise<string> {
  const worker = await register(server);
  const client = new HttpProbe(server.url, post(CHAT, body));
  const { request_id } = JSON.parse(await worker.next());
  for (const answer of answers) worker.send({ ...answer, request_id });
  return withoutDate(shown(await client.whole()));
}

block("stream: chunk then complete 400", {}, async (server, [recorded]) => {
  const answers = [
    chunk('{"error":1}'),
    complete("", { status_code: 400, headers: { "x-b": "1" }, body: "" }),
  ];
  assert.equal(await shownAnswer(server, STREAMED, answers), recorded);
});

block("stream: complete 400 first", {}, async (server, [recorded]) => {
  const headers = { "content-type": "application/json", "x-b": "1" };
  const answers = [complete("", { status_code: 400, headers, body: '{"error":2}' })];
  assert.equal(await shownAnswer(server, STREAMED, answers), recorded);
});

block("non-stream request answered with chunk + complete without body", {}, async (server, [recorded]) => {
  assert.equal(await shownAnswer(server, '{"model":"m"}', [chunk("x"), complete("")]), recorded);
});

block("late chunk after complete", {}, async (server, [recorded]) => {
  const worker = await register(server);
  const client = new HttpProbe(server.url, post(CHAT, STREAMED));
  const { request_id } = JSON.parse(await worker.next());
  worker.send(complete(request_id));
  await client.whole();
  worker.send({ ...chunk("late"), request_id });
  assert.deepEqual(await worker.closed(), JSON.parse(recorded!));
});

checkComplete();
