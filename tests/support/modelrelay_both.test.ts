import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { test } from "node:test";
import { FakeClock } from "./fake_clock.ts";
import { call, type HttpCall, HttpProbe, quiet, until } from "./modelrelay/probe.ts";
import {
  answerBytes,
  BackendProbe,
  chunkBytes,
  chunkedBytes,
  openChunkedBytes,
} from "./modelrelay/probe_server.ts";
import { RustServer } from "./modelrelay/rust_server.ts";
import { RustWorker } from "./modelrelay/rust_worker.ts";
import { lineReplay } from "./modelrelay/transcript.ts";

/** What the real server and the real worker did together, against their stand-ins. */
const { recorded, checkComplete } = lineReplay("e2e", 9);

const CHAT = "/v1/chat/completions";
const post = (body: string): HttpCall => ({ method: "POST", path: CHAT, body });
const PLAIN = '{"model":"m"}';
const STREAM = '{"model":"m","stream":true}';
const SSE = ["content-type: text/event-stream"];
const JSON_UTF8 = ["content-type: application/json;charset=utf-8"];

async function both(answer: (socket: Socket) => void) {
  const clock = new FakeClock();
  const server = await RustServer.start({ workerSecret: "sek", clock });
  const backend = await BackendProbe.start({ "*": answer });
  const worker = new RustWorker({
    proxyUrl: server.url,
    backendUrl: backend.url,
    workerSecret: "sek",
    models: ["m"],
    maxConcurrent: 2,
    clock,
    // It comes back after 1.45 s.
    random: () => 0.9,
  });
  await until(() => server.state.workers.length === 1);
  return {
    server,
    backend,
    worker,
    clock,
    /** Ask, and let the server look after its sockets. */
    async ask(body: string): Promise<HttpProbe> {
      const [before, queued] = [backend.requests.length, server.state.queueDepth];
      const client = new HttpProbe(server.url, post(body));
      await until(
        () =>
          server.state.workers.some(({ outbox }) => outbox.requests.length) ||
          server.state.queueDepth > queued,
      );
      clock.advance(25);
      if (server.state.queueDepth === queued) await until(() => backend.requests.length > before);
      return client;
    },
    async workers(): Promise<string> {
      return JSON.stringify(JSON.parse((await call(server.url, { path: "/health" })).body).workers ?? []);
    },
    stop() {
      worker.stop();
      server.kill();
      backend.stop();
    },
  };
}

const shown = ({
  status,
  headers,
  body,
}: {
  status: number;
  headers: Record<string, string>;
  body: string;
}) => `${status} ${headers["content-type"]} ${JSON.stringify(body)}`;

test("both: a plain answer, and one that the backend sent in chunks", async () => {
  const stage = await both((socket) => socket.write(answerBytes("200 OK", JSON_UTF8, '{"ok":1}')));
  try {
    assert.equal(`plain: ${shown(await (await stage.ask(PLAIN)).whole())}`, recorded("plain:"));
  } finally {
    stage.stop();
  }
  const chunked = await both((socket) => socket.write(chunkedBytes("200 OK", JSON_UTF8, ['{"ok":1}'])));
  try {
    assert.match(recorded("chunked JSON backend, unary:"), /EXC TypeError: ECONNRESET/);
    await assert.rejects((await chunked.ask(PLAIN)).whole(), /closed/);
  } finally {
    chunked.stop();
  }
});

test("both: a stream that the backend refuses", async () => {
  const stage = await both((socket) =>
    socket.write(answerBytes("400 Bad Request", JSON_UTF8, '{"error":"bad"}')),
  );
  try {
    assert.equal(
      `streamed 400: ${shown(await (await stage.ask(STREAM)).whole())}`,
      recorded("streamed 400:"),
    );
  } finally {
    stage.stop();
  }
});

test("both: a client that leaves keeps a slot for ever, until the worker is lost", async () => {
  let open: Socket | undefined;
  const stage = await both((socket) => {
    open = socket;
    socket.write(openChunkedBytes("200 OK", SSE, []));
  });
  const { server, clock, backend } = stage;
  try {
    const leaver = await stage.ask(STREAM);
    leaver.leave();
    await until(() => server.state.workers[0]!.outbox.cancels.length === 1);
    clock.advance(25);
    await until(() => backend.left === 1);
    assert.equal(`after 1 client abort: ${await stage.workers()}`, recorded("after 1 client abort:"));

    const [, wanted, last, hits] = /chunks (\d+) last (".*?") extra backend hits (\d+)/.exec(
      recorded("long stream ended CLEANLY after 90839 ms"),
    )!;
    const client = await stage.ask(STREAM);
    const hitsBefore = backend.requests.length;
    let chunks = 0;
    for (; stage.worker.drops.length === 0 && chunks < 110; chunks++) {
      const text = `data: ${chunks}\n\n`;
      open!.write(chunkBytes(text));
      await until(() => client.raw.includes(text));
      clock.advance(1000);
    }
    await until(() => server.state.workers.length === 0);
    assert.equal(`health: ${await stage.workers()}`, recorded("health:"));
    clock.advance(1000);
    const { body } = await client.whole();
    assert.deepEqual([chunks, backend.requests.length - hitsBefore], [Number(wanted), Number(hits)]);
    assert.ok(body.endsWith(JSON.parse(last!)), "a clean end after that many");

    recorded("request 0 was not dispatched in 1.5s");
    const queued = await stage.ask(PLAIN);
    clock.advance(500);
    await until(() => server.state.workers.length === 1);
    await quiet();
    assert.equal(server.state.queueDepth, 1, "a worker that registers is given nothing");
    queued.leave();
    await until(() => server.state.queueDepth === 0);
  } finally {
    stage.stop();
  }
});

test("both: after another abort the other slot is still good", async () => {
  let answers = 0;
  const stage = await both((socket) => {
    if (answers++ === 0) return;
    socket.write(answerBytes("200 OK", JSON_UTF8, '{"ok":1}'));
  });
  const { server, clock, backend } = stage;
  try {
    // The recording's worker had come back, so that it is the second.
    const line = recorded("after more aborts:").replace("worker-2", "worker-1");
    (await stage.ask(PLAIN)).leave();
    await until(() => server.state.workers[0]!.outbox.cancels.length === 1);
    clock.advance(25);
    await until(() => backend.left === 1);
    assert.equal(`after more aborts: ${await stage.workers()}`, line);
    const answer = shown(await (await stage.ask(PLAIN)).whole());
    assert.equal(`next request (2 slots, all leaked): ${answer}`, recorded("next request"));
  } finally {
    stage.stop();
  }
});

checkComplete();
