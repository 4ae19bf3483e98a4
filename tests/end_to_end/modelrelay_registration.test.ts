import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { lineHas, workersOf, workersWhen } from "../support/admin_view.ts";
import { until } from "../support/modelrelay/probe.ts";
import { answerBytes } from "../support/modelrelay/probe_server.ts";
import { type Answers, RelayStage, SECRET } from "../support/modelrelay/relay_stage.ts";
import { RustWorker } from "../support/modelrelay/rust_worker.ts";
import { RawClient, requestText } from "../support/raw_client.ts";

/** How ModelRelay's workers come in, and what the relay makes of what they say of themselves. Numbers: the contracts. */

const HELLO: Answers = { "*": (socket) => socket.write(answerBytes("200 OK", [], "hello")) };

let stage: RelayStage;
before(async () => {
  stage = await RelayStage.start();
});
after(async () => await stage?.[Symbol.asyncDispose]());

async function reportOf(workerId: string) {
  const report = (await workersOf(stage.relay)).find(({ worker_id }) => worker_id === workerId);
  assert.ok(report);
  return report;
}

test("25 worker_can_authenticate_and_receive_a_sanitized_register_ack, in the bytes of ModelRelay", async () => {
  const protocol_version = "2026-04-bridge-v1";
  const { socket, ack } = await stage.hand({ models: [" r1 ", "r1", "", "*", "r2"], protocol_version });
  const { worker_id } = ack;
  const expected = { type: "register_ack", worker_id, models: ["r1", "*", "r2"], protocol_version };
  assert.equal(socket.texts[0], JSON.stringify(expected));
  assert.match(String(worker_id), /^worker-\d+$/);
  socket.socket.drop();
  await workersWhen(stage.relay, (workers) => workers.length === 0);
});

test("26 register_ack_warns_when_worker_name_is_truncated: ours at 128 characters", async () => {
  const { ack } = await stage.hand({ worker_name: "w".repeat(129) });
  assert.deepEqual(ack.warnings, ["worker_name was cut to 128 characters"]);
  assert.equal((await reportOf(ack.worker_id)).worker_name, "w".repeat(128));
});

test("27 register_ack_warns_when_model_list_is_truncated_after_sanitization: ours at 1024 models", async () => {
  const models = Array.from({ length: 1025 }, (_, at) => `many-${at}`);
  const { ack } = await stage.hand({ models: [...models, ...models] });
  assert.deepEqual(ack.models, models.slice(0, 1024));
  assert.deepEqual(ack.warnings, ["only the first 1024 models were kept: 1025 were given"]);
});

test("28 register_ack_warns_when_sanitization_accepts_no_models", async () => {
  const { ack } = await stage.hand({ worker_name: " ", models: [" ", ""] });
  assert.deepEqual(ack.models, []);
  assert.deepEqual(ack.warnings, [
    "worker_name was empty after trimming",
    "worker registered without any routable models",
  ]);
});

test("29 register_ack_clamps_zero_max_concurrent_to_one", async () => {
  const { ack } = await stage.hand({ max_concurrent: 0 });
  assert.equal(ack.warnings, undefined);
  assert.equal((await reportOf(ack.worker_id)).max_concurrent, 1);
});

test("30 legacy_query_secret_can_authenticate_but_wrong_secret_is_rejected", async () => {
  const query = `?provider=local&worker_secret=${SECRET}&unknown=1`;
  const inQuery = await stage.knock({ query, secret: null });
  inQuery.send({ type: "register", worker_name: "q", models: [], max_concurrent: 1 });
  assert.match(await inQuery.next(), /"register_ack"/);
  const wrong = await stage.knock({ secret: "wrong" });
  assert.deepEqual(await wrong.closed(), { code: 1008, reason: "worker authentication failed" });
});

test("31 header_secret_takes_precedence_over_legacy_query_secret_when_both_are_present", async () => {
  const good = await stage.hand({}, { query: "?worker_secret=wrong" });
  assert.equal(good.ack.type, "register_ack");
  const bad = await stage.knock({ query: `?worker_secret=${SECRET}`, secret: "wrong" });
  assert.equal((await bad.closed()).code, 1008);
});

test("34 protocol_version_mismatch_is_rejected_before_registration_completes", async () => {
  const known = (await workersOf(stage.relay)).length;
  const socket = await stage.knock();
  const register = { type: "register", worker_name: "v", models: ["v"], max_concurrent: 1 };
  socket.send({ ...register, protocol_version: "katamari-worker-v1" });
  assert.deepEqual(await socket.closed(), { code: 1002, reason: "worker registration protocol error" });
  assert.deepEqual(socket.texts, []);
  assert.equal((await workersOf(stage.relay)).length, known);
});

test("a provider's name arrives as ModelRelay's worker writes it, which is not encoded", async () => {
  for (const provider of ["home/4090:x@y", "100%", "gpu'1;2"]) {
    await stage.play({ answers: HELLO, provider }, async ({ model, answer }) => {
      const report = (await workersOf(stage.relay)).find(({ models }) => models.includes(model));
      assert.equal(report?.provider, provider);
      assert.equal((await answer()).headers["x-signalbox-provider"], provider);
    });
  }
});

test("a base path of the relay's URL is for a proxy in front to take away", async () => {
  const proxyUrl = `${stage.relay.url}/base/`;
  const worker = new RustWorker({ proxyUrl, backendUrl: stage.relay.url, workerSecret: "s" });
  await until(() => worker.drops.length > 0);
  worker.stop();
  assert.match(worker.drops[0]!, /^no upgrade: HTTP\/1\.1 501/);
});

test("two workers of one name, as all of ModelRelay's are by default, both stay and share the work", async () => {
  const model = stage.newModel();
  const options = { answers: HELLO, models: [model] };
  await stage.play(options, async (first) => {
    await stage.play(options, async (second) => {
      const isHere = () =>
        workersWhen(stage.relay, (all) => all.filter(({ models }) => models.includes(model)).length === 2);
      await isHere();
      for (let round = 0; round < 4; round++) await first.answer();
      assert.deepEqual([first.backend.requests.length, second.backend.requests.length], [2, 2]);
      await isHere();
    });
  });
});

test("9 models_update_immediately_changes_routing_without_worker_reconnect, over the wire", async () => {
  const { socket, model, ask, takes } = await stage.hand();
  const update = (models: string[]) => socket.send({ type: "models_update", models, current_load: 0 });
  update([]);
  await workersWhen(stage.relay, (workers) => workers.every(({ models }) => !models.includes(model)));
  const client = ask();
  await lineHas(stage.relay, 1);
  update(["other", ` ${model} `]);
  const { request_id } = await takes();
  socket.send({ type: "response_complete", request_id, status_code: 200, body: "served" });
  assert.equal((await client.whole()).body, "served");
  assert.deepEqual(await socket.unread(), []);
});

test("11 pong_updates_live_load_used_for_selection: a worker that is busy for others is given nothing", async () => {
  const { socket, ask, takes } = await stage.hand();
  socket.send({ type: "pong", current_load: 1 });
  await workersWhen(stage.relay, (workers) => workers.some(({ reported_load }) => reported_load === 1));
  const client = ask();
  await lineHas(stage.relay, 1);
  assert.deepEqual(await socket.unread(), []);
  socket.send({ type: "pong", current_load: 0 });
  await takes();
  client.leave();
});

test("S15: a wrong secret is told after the upgrade, by the close", async () => {
  const worker = new RustWorker({
    proxyUrl: stage.relay.url,
    backendUrl: "http://127.0.0.1:1",
    workerSecret: "wrong",
  });
  await until(() => worker.drops.length > 0);
  worker.stop();
  assert.equal(worker.drops[0], "closed: 1008 worker authentication failed");
});

test("S16: whatever a handshake offers, no subprotocol and no extension is chosen", async () => {
  const headers = {
    "x-worker-secret": SECRET,
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
    "sec-websocket-protocol": "modelrelay, other",
    "sec-websocket-extensions": "permessage-deflate; client_max_window_bits",
  };
  await using client = await RawClient.sends(
    stage.relay.port,
    requestText({ method: "GET", path: "/v1/worker/connect", headers }),
  );
  await client.receives("\r\n\r\n");
  assert.match(client.received, /^HTTP\/1\.1 101 /);
  assert.doesNotMatch(client.received, /^sec-websocket-(?:protocol|extensions):/im);
});
