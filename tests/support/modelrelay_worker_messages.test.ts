import assert from "node:assert/strict";
import { test } from "node:test";
import { quiet, until } from "./modelrelay/probe.ts";
import { RelayProbe } from "./modelrelay/probe_server.ts";
import { RustWorker } from "./modelrelay/rust_worker.ts";
import { OPCODE } from "./modelrelay/web_socket.ts";
import { BLOCKS, request, STREAM, type Stage, workerReplay } from "./modelrelay/worker_replay.ts";

const { blocks, checkComplete, count } = workerReplay("messages");
const block = (title: string, replay: (stage: Stage, lines: string[]) => Promise<void>) =>
  blocks([title], {}, (stage) => replay(stage, stage.lines[0]!));

count("upgrade + register");
test("worker: upgrade + register", async () => {
  const recorded = JSON.parse(BLOCKS.get("upgrade + register")![1]!);
  const relay = await RelayProbe.start();
  const proxyUrl = `${relay.url}/base/`;
  const worker = new RustWorker({ proxyUrl, backendUrl: "http://127.0.0.1:1", workerSecret: "sek" });
  try {
    await relay.worker();
    const { head } = relay.workers[0]!;
    assert.equal(head.firstLine, `GET ${new URL(recorded.url).pathname}?provider=local HTTP/1.1`);
    const found = Object.fromEntries(head.headers);
    assert.deepEqual(Object.keys(found).sort(), Object.keys(recorded.h));
    for (const name of ["connection", "sec-websocket-version", "upgrade", "x-worker-secret"]) {
      assert.equal(found[name], recorded.h[name]);
    }
  } finally {
    worker.stop();
    relay.stop();
  }
});

block("ping", async ({ socket }, lines) => {
  socket.send({ type: "ping" });
  socket.send({ type: "ping", timestamp_unix_ms: 1712345678901, mystery: null });
  assert.deepEqual([await socket.next(), await socket.next()], lines);
});

block("unary json with extra fields method=GET and query", async ({ socket, backend }, [answer, saw]) => {
  const headers = {
    Authorization: "Bearer k",
    "accept-encoding": "gzip",
    "transfer-encoding": "chunked",
    host: "x",
  };
  const path = "/v1/files?limit=2&x=%2F";
  socket.send(
    request("r1", path, {
      method: "GET",
      endpoint_prefixes: [],
      headers: { ...headers, connection: "close" },
    }),
  );
  assert.equal(await socket.next(), answer);
  const recorded = JSON.parse(saw!.slice("backend saw: ".length));
  recorded.headers.host = new URL(backend.url).host;
  assert.deepEqual(backend.requests[0], recorded);
});

block("headers field absent", async ({ socket, backend }, [answer]) => {
  const { headers: _, ...withoutHeaders } = request("r2", "/v1/chat/completions");
  socket.send(withoutHeaders);
  assert.equal(await socket.next(), answer);
  assert.deepEqual(Object.keys(backend.requests[0]!.headers), ["accept", "content-length", "host"]);
});

const ANSWERED: Record<string, [id: string, path: string, more?: object]> = {
  "unary chunked": ["r3", "/chunked"],
  "unary err": ["r4", "/err"],
  "unary gzip": ["r5", "/gzip"],
  "unary bin": ["r6", "/bin"],
  "unary redir": ["r7", "/redir"],
  "unary empty": ["r8", "/empty"],
  "stream sse": ["r9", "/sse", STREAM],
  "stream err (400 json)": ["r10", "/err", STREAM],
  "stream empty 204": ["r11", "/empty", STREAM],
};
for (const [title, [id, path, more]] of Object.entries(ANSWERED)) {
  block(title, async ({ socket }, lines) => {
    socket.send(request(id, path, more));
    for (const line of lines) assert.equal(await socket.next(), line);
    assert.deepEqual(await socket.unread(), []);
  });
}

block("cancel in flight", async ({ socket, backend }, [chunk, silence, pong, unknown]) => {
  socket.send(request("r12", "/hang", STREAM));
  assert.equal(await socket.next(), chunk);
  socket.send({ type: "cancel", request_id: "r12", reason: "client_disconnect" });
  await until(() => backend.left === 1);
  const messages = (await socket.unread()).join() || "(none)";
  assert.equal(`after cancel msgs: ${messages} backend aborted: ${backend.left}`, silence);
  socket.send({ type: "ping" });
  assert.equal(await socket.next(), pong);
  socket.send({ type: "cancel", request_id: "never", reason: { other: "x" } });
  await quiet();
  assert.equal(`cancel unknown id + {other}: connected ${!socket.end}`, unknown);
});

block("models_refresh", async ({ socket }, [update]) => {
  socket.send({ type: "models_refresh", reason: "x" });
  assert.equal(await socket.next(), update);
});

block("ws-level ping from server", async ({ socket }, [line]) => {
  socket.socket.sendFrame(OPCODE.ping);
  await until(() => socket.pongs.length === 1);
  assert.equal(`connected: ${!socket.end}`, line);
});

block("binary from server ignored", async ({ socket }, [line]) => {
  socket.socket.sendFrame(OPCODE.binary, new Uint8Array([1, 2]));
  socket.send({ type: "ping" });
  await socket.next();
  assert.equal(`connected: ${!socket.end}`, line);
});

block("concurrency above max accepted?", async ({ socket }, [pong]) => {
  for (let count = 0; count < 8; count++) socket.send(request(`c${count}`, "/hang", STREAM));
  for (let count = 0; count < 8; count++) await socket.next();
  socket.send({ type: "ping" });
  assert.equal(await socket.next(), pong);
});

checkComplete();
