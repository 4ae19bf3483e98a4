import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { lineHas, workersWhen } from "../support/admin_view.ts";
import { type HttpProbe, type RawAnswer, until } from "../support/modelrelay/probe.ts";
import { RelayStage } from "../support/modelrelay/relay_stage.ts";

/**
 * What clients are told when ModelRelay's workers cannot serve them, and what becomes of requests whose client or
 * worker goes. Numbers: ModelRelay's contracts. Its texts are ours in the dialect of the path, by design.
 */

const STREAM = { body: { stream: true } };
const PATHS = ["/v1/chat/completions", "/v1/responses", "/v1/messages"];
/** Words of the inside, and of ModelRelay's. */
const INTERNAL = /requeue|max retries|provider deleted|queue full|worker-\d|127\.0\.0\.1/i;

let stage: RelayStage;
before(async () => {
  stage = await RelayStage.start(["--queue-timeout=300ms", "--max-queue-len=1"]);
});
after(async () => await stage?.[Symbol.asyncDispose]());

/** It is JSON, in Anthropic's dialect on Anthropic's path, and says nothing of the inside. */
function isFailure(answer: RawAnswer, path: string, [status, code]: [number, string]): void {
  const { type, error } = JSON.parse(answer.body);
  assert.deepEqual([answer.status, error.code], [status, code], path);
  assert.equal(answer.headers["content-type"], "application/json");
  assert.equal(type, path === "/v1/messages" ? "error" : undefined);
  assert.doesNotMatch(answer.body, INTERNAL);
  assert.match(answer.headers["x-signalbox-request-id"]!, /^[0-9a-f-]{36}$/);
}

test("46 queue_timeout_http_boundary_returns_sanitized_service_unavailable_text: ours is wait_expired", async () => {
  const { ask, takes } = await stage.hand();
  const holder = ask();
  await takes();
  for (const path of PATHS) {
    const answer = await ask({ path }).whole();
    isFailure(answer, path, [503, "wait_expired"]);
    assert.ok(Number(answer.headers["retry-after"]) >= 1);
  }
  holder.leave();
});

test("47 queue_full_http_boundary_returns_capacity_message_without_internal_reason: ours is line_full", async () => {
  await using own = await RelayStage.start(["--max-queue-len=1"]);
  const { ask, takes } = await own.hand();
  const holder = ask();
  await takes();
  const waiting = ask();
  await lineHas(own.relay, 1);
  for (const path of PATHS) {
    const answer = await ask({ path }).whole();
    isFailure(answer, path, [503, "line_full"]);
    assert.ok(Number(answer.headers["retry-after"]) >= 1);
  }
  for (const client of [holder, waiting]) client.leave();
});

test("48 no_workers_http_boundary_returns_sanitized_worker_unavailable_text: ours is model_not_found, at once", async () => {
  for (const path of PATHS) {
    const answer = await stage.ask({ path, body: { model: "nobody-has-it" } }).whole();
    isFailure(answer, path, [404, "model_not_found"]);
  }
});

test("50 requeue_exhaustion_http_boundary_returns_sanitized_retry_exhausted_text: ours is worker_lost", async () => {
  for (const path of PATHS) {
    const model = stage.newModel();
    const [first, second] = [await stage.hand({ models: [model] }), await stage.hand({ models: [model] })];
    const client = stage.ask({ path, body: { model } });
    await first.takes();
    first.socket.socket.drop();
    await second.takes();
    second.socket.socket.drop();
    isFailure(await client.whole(), path, [502, "worker_lost"]);
  }
});

test("5 51 what waits and what comes while the relay leaves is told so, on all three paths", async () => {
  await using own = await RelayStage.start();
  const { socket, ask, takes } = await own.hand({ max_concurrent: 1 });
  const holder = ask();
  await takes();
  const waiting = new Map<string, HttpProbe>();
  for (const path of PATHS) waiting.set(path, ask({ path }));
  await lineHas(own.relay, 3);
  own.relay.signal("SIGTERM");
  for (const [path, client] of waiting) isFailure(await client.whole(), path, [503, "shutting_down"]);
  holder.leave();
  assert.deepEqual(await socket.closed(), { code: 1000, reason: "graceful shutdown complete" });
});

test("3 graceful_shutdown_stops_new_assignments_and_disconnects_after_in_flight_completion, over the wire", async () => {
  await using own = await RelayStage.start();
  const { socket, ask, takes } = await own.hand({ max_concurrent: 2 });
  const client = ask();
  const { request_id } = await takes();
  own.relay.signal("SIGTERM");
  const { type, drain_timeout_secs } = JSON.parse(await socket.next());
  assert.deepEqual([type, Number.isInteger(drain_timeout_secs)], ["graceful_shutdown", true]);
  assert.equal(socket.end, undefined);
  socket.send({ type: "response_complete", request_id, status_code: 200, body: "last" });
  assert.equal((await client.whole()).body, "last");
  assert.deepEqual(await socket.closed(), { code: 1000, reason: "graceful shutdown complete" });
  assert.equal(socket.texts.length, 3);
  assert.equal(await own.relay.exited, 0);
});

test("4 graceful_shutdown_times_out_in_flight_work_that_does_not_finish_before_deadline", async () => {
  await using own = await RelayStage.start(["--drain-timeout=300ms"]);
  const { socket, ask, takes } = await own.hand();
  const client = ask();
  await takes();
  own.relay.signal("SIGTERM");
  isFailure(await client.whole(), PATHS[0]!, [503, "shutting_down"]);
  assert.deepEqual(await socket.closed(), { code: 1000, reason: "graceful shutdown timed out" });
});

test("20 canceling_an_in_flight_request_emits_a_worker_cancel_signal, once", async () => {
  const { socket, ask, takes } = await stage.hand();
  const client = ask(STREAM);
  const { request_id } = await takes();
  client.leave();
  assert.equal(
    await socket.next(),
    JSON.stringify({ type: "cancel", request_id, reason: "client_disconnect" }),
  );
  assert.deepEqual(await socket.unread(), []);
});

test("21 late_worker_chunks_are_dropped_after_the_request_is_canceled, and the link stays", async () => {
  const { socket, ask, takes } = await stage.hand();
  const client = ask(STREAM);
  const { request_id } = await takes();
  socket.send({ type: "response_chunk", request_id, chunk: "data: 1\n\n" });
  await until(() => client.raw.includes("data: 1"));
  client.leave();
  await socket.next();
  socket.send({ type: "response_chunk", request_id, chunk: "data: 2\n\n" });
  socket.send({ type: "response_complete", request_id, status_code: 200, body: "" });
  const next = ask();
  const second = (await takes()).request_id;
  socket.send({ type: "response_complete", request_id: second, status_code: 200, body: "next" });
  assert.equal((await next.whole()).body, "next");
  assert.doesNotMatch(client.raw, /data: 2/);
});

test("22 disconnecting_a_worker_requeues_a_live_in_flight_request, which an idle worker gets at once", async () => {
  const first = await stage.hand();
  const client = first.ask();
  const { body } = await first.takes();
  const second = await stage.hand({ models: [first.model] });
  first.socket.socket.drop();
  const again = await second.takes();
  assert.equal(again.body, body);
  second.socket.send({
    type: "response_complete",
    request_id: again.request_id,
    status_code: 200,
    body: "saved",
  });
  assert.equal((await client.whole()).body, "saved");
});

test("a stream that has begun is broken off when its worker goes, never played again", async () => {
  const first = await stage.hand();
  const client = first.ask(STREAM);
  const { request_id } = await first.takes();
  first.socket.send({ type: "response_chunk", request_id, chunk: "data: A\n\n" });
  await until(() => client.raw.includes("data: A"));
  const second = await stage.hand({ models: [first.model] });
  first.socket.socket.drop();
  await until(() => client.closed);
  assert.equal(client.answer, undefined);
  assert.deepEqual(await second.socket.unread(), []);
});

test("23 disconnecting_a_worker_does_not_requeue_a_request_after_it_was_canceled, over the wire", async () => {
  const first = await stage.hand();
  const client = first.ask();
  await first.takes();
  const second = await stage.hand({ models: [first.model] });
  client.leave();
  await first.socket.next();
  first.socket.socket.drop();
  await workersWhen(
    stage.relay,
    (workers) => workers.filter(({ models }) => models.includes(first.model)).length === 1,
  );
  assert.deepEqual(await second.socket.unread(), []);
});
