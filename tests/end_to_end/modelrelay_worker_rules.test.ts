import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { lineHas, slotsFree, workersWhen } from "../support/admin_view.ts";
import { until } from "../support/modelrelay/probe.ts";
import {
  answerBytes,
  chunkBytes,
  chunkedBytes,
  openChunkedBytes,
} from "../support/modelrelay/probe_server.ts";
import { type Answers, RelayStage } from "../support/modelrelay/relay_stage.ts";
import { readFromServer } from "../support/modelrelay/wire.ts";
import { RawClient, requestText } from "../support/raw_client.ts";

/** What our relay owes ModelRelay's worker: the rules of `tests/support/modelrelay/README.md`. */

const JSON_TYPE = "content-type: application/json";
const SSE = "content-type: text/event-stream";
const STREAM = { body: { stream: true } };
const says =
  (bytes: Uint8Array): Answers[string] =>
  (socket) =>
    socket.write(bytes);
const HELLO: Answers = { "*": says(answerBytes("200 OK", [JSON_TYPE], '{"hello":1}')) };
const HANGS: Answers = { "*": () => {} };

let stage: RelayStage;
before(async () => {
  stage = await RelayStage.start(["--queue-timeout=2s"]);
});
after(async () => await stage?.[Symbol.asyncDispose]());

test("S1, S2, S3: through a whole life a worker is sent six types at most, each as ModelRelay reads it", async () => {
  await using own = await RelayStage.start(["--response-idle-timeout=300ms"]);
  const { socket, takes, ask, model } = await own.hand({ max_concurrent: 3 });
  const cancelled = async () => {
    const cancel = JSON.parse(await socket.next()) as { reason: string };
    return cancel.reason;
  };
  const leaver = ask();
  await takes();
  leaver.leave();
  assert.equal(await cancelled(), "client_disconnect");
  const stalled = ask(STREAM);
  socket.send({ type: "response_chunk", request_id: (await takes()).request_id, chunk: "data: 1\n\n" });
  assert.equal(await cancelled(), "timeout");
  await until(() => stalled.closed);
  const answered = ask();
  const { request_id } = await takes();
  socket.send({ type: "response_complete", request_id, status_code: 200, body: "{}" });
  assert.equal((await answered.whole()).status, 200);
  const namesake = await own.knock();
  namesake.send({ type: "register", worker_name: model, models: ["n"], max_concurrent: 1 });
  assert.equal(await socket.next(), '{"type":"ping"}');
  own.relay.signal("SIGTERM");
  await socket.closed();
  const types = socket.texts.map((text) => readFromServer(text).type);
  const expected = ["register_ack", "request", "cancel", "ping", "graceful_shutdown"];
  assert.deepEqual(new Set(types), new Set(expected));
});

test("S4: the slot of a client that left is free at once, though the worker never answers a cancel", async () => {
  await stage.play({ answers: HANGS }, async ({ worker, backend, ask }) => {
    for (let round = 1; round <= 3; round++) {
      const client = ask(STREAM);
      await until(() => backend.requests.length === round);
      client.leave();
      await until(() => worker.running === 0 && backend.left === round);
    }
    await slotsFree(stage.relay);
  });
});

test("S6: a worker that was told to leave is sent no request, though one waits and one is still arriving", async () => {
  await using own = await RelayStage.start();
  const begins = openChunkedBytes("200 OK", [SSE], ["data: 1\n\n"]);
  let finish = () => {};
  const answers: Answers = {
    "*": (socket) => {
      socket.write(begins);
      finish = () => socket.write("0\r\n\r\n");
    },
  };
  await using rust = await own.join({ answers, maxConcurrent: 2 });
  const running = rust.ask(STREAM);
  await until(() => running.raw.includes("data: 1"));
  const headers = { "x-model": rust.model, "content-type": "text/plain", "content-length": "200000" };
  await using arriving = await RawClient.sends(own.relay.port, requestText({ headers }));
  await workersWhen(own.relay, ([report]) => report!.in_flight_count === 2);
  const waiting = rust.ask(STREAM);
  await lineHas(own.relay, 1);
  own.relay.signal("SIGTERM");
  assert.equal((await waiting.whole()).status, 503);
  arriving.send("x".repeat(200_000));
  assert.equal((await arriving.response()).status, 503);
  finish();
  assert.equal((await running.whole()).body, "data: 1\n\n");
  await until(() => rust.worker.drops.length > 0);
  assert.deepEqual(rust.worker.drops, ["closed: 1000 graceful shutdown complete"]);
  assert.equal(rust.backend.requests.length, 1);
});

test("S7: a backend that would compress is not asked to, so the client gets text", async () => {
  const answers: Answers = {
    "*": (socket, { headers }) =>
      socket.write(
        "accept-encoding" in headers
          ? answerBytes("200 OK", ["content-encoding: gzip"], gzipSync("coded"))
          : answerBytes("200 OK", [], "plain"),
      ),
  };
  await stage.play({ answers }, async ({ answer }) => {
    const { body, headers } = await answer({ headers: { "accept-encoding": "gzip, br" } });
    assert.deepEqual([body, headers["content-encoding"]], ["plain", undefined]);
  });
});

test("S8: hop-by-hop fields of the backend do not reach the client, whose answer is framed anew", async () => {
  const fields = [
    JSON_TYPE,
    "keep-alive: timeout=5",
    "te: trailers",
    "trailer: x",
    "proxy-authenticate: Basic",
    "x-own: 1",
  ];
  await stage.play(
    { answers: { "*": says(chunkedBytes("201 Created", fields, ["[1,", "2]"])) } },
    async ({ answer }) => {
      const { status, headers, body } = await answer();
      assert.deepEqual([status, body, headers["content-length"], headers["x-own"]], [201, "[1,2]", "5", "1"]);
      for (const name of ["transfer-encoding", "te", "trailer", "proxy-authenticate"])
        assert.equal(headers[name], undefined, name);
      assert.notEqual(headers["keep-alive"], "timeout=5");
    },
  );
});

test("S9: a refusal of a stream keeps its status, its fields and its body", async () => {
  const bytes = answerBytes("400 Bad Request", [JSON_TYPE, "x-own: 1"], '{"error":"no such tool"}');
  await stage.play({ answers: { "*": says(bytes) } }, async ({ answer }) => {
    const { status, headers, body } = await answer(STREAM);
    assert.deepEqual([status, headers["content-type"], headers["x-own"]], [400, "application/json", "1"]);
    assert.equal(body, '{"error":"no such tool"}');
  });
});

test("S10: a worker with two slots is never given a third request", async () => {
  await stage.play({ answers: HANGS, maxConcurrent: 2 }, async ({ worker, backend, ask }) => {
    const clients = [ask(), ask(), ask()];
    await lineHas(stage.relay, 1);
    await until(() => backend.requests.length === 2);
    assert.equal(worker.running, 2);
    for (const client of clients) client.leave();
    await until(() => worker.running === 0);
    await lineHas(stage.relay, 0);
  });
});

test("S11: only POST goes to a worker that knows no methods, with its query", async () => {
  await stage.play({ answers: HELLO }, async ({ backend, answer, model }) => {
    for (const method of ["GET", "DELETE", "PUT", "PATCH"]) {
      const body = method === "GET" || method === "DELETE" ? "" : "{}";
      const asked = { method, path: "/v1/files/1", headers: { "x-model": model }, body };
      const refused = await answer(asked);
      const { code, metadata } = JSON.parse(refused.body).error;
      assert.deepEqual(
        [refused.status, code, metadata.failed_rule],
        [404, "no_eligible_worker", "capability"],
      );
    }
    await answer({ path: "/v1/messages?beta=true&a=%2F" });
    assert.deepEqual(
      backend.requests.map(({ method, path }) => `${method} ${path}`),
      ["POST /v1/messages?beta=true&a=%2F"],
    );
  });
});

test("S12: an answer of 20 MiB in one frame is taken, a request that would not fit one is refused", async () => {
  const large = "x".repeat(20 * 1024 * 1024);
  await stage.play(
    { answers: { "*": says(answerBytes("200 OK", [], large)) } },
    async ({ backend, answer, model }) => {
      const answered = await fetch(`${stage.relay.url}/v1/x`, {
        method: "POST",
        headers: { "x-model": model },
      });
      assert.equal((await answered.text()).length, large.length);
      const body = JSON.stringify({ model, padding: "x".repeat(15.5 * 1024 * 1024) });
      const refused = await answer({ body });
      assert.deepEqual([refused.status, JSON.parse(refused.body).error.code], [413, "body_too_large"]);
      assert.equal(backend.requests.length, 1);
    },
  );
});

test("S13: half a surrogate pair in a model's name or a body is no reason to drop the link", async () => {
  await using own = await RelayStage.start();
  await own.play({ answers: HELLO, models: ["*"] }, async ({ backend, answer }) => {
    const body = '{"model":"a\\ud800","messages":"\\udfff"}';
    assert.equal((await answer({ body })).status, 200);
    assert.equal(backend.requests[0]!.body, body);
  });
});

test("S14: a worker that falls over is a lost worker to the client, and comes back by itself", async () => {
  let stream: Socket | undefined;
  const answers: Answers = {
    "/v1/split": (socket) => {
      stream = socket;
      socket.write(openChunkedBytes("200 OK", [SSE], ["data: 1\n\n"]));
    },
    "/v1/gone": (socket) => socket.destroy(),
  };
  await using rust = await stage.join({ answers, random: () => 0 });
  const cut = rust.ask({ path: "/v1/split", ...STREAM });
  await until(() => cut.raw.includes("data: 1"));
  stream!.write(chunkBytes(new Uint8Array([0xe2, 0x82])));
  await until(() => cut.closed);
  assert.equal(cut.answer, undefined);
  assert.deepEqual(rust.worker.drops, ["invalid utf-8 sequence"]);
  await until(() => rust.worker.registered === 2);
  const lost = await rust.answer({ path: "/v1/gone" });
  assert.deepEqual([lost.status, JSON.parse(lost.body).error.code], [502, "worker_lost"]);
  assert.equal(rust.worker.drops.length, 2);
});
