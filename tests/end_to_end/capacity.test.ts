import assert from "node:assert/strict";
import net from "node:net";
import { test } from "node:test";
import { lineHas, slotsFree, startRelay, workersWhen } from "../support/admin_view.ts";
import { LINK_FORM } from "../support/link_form.ts";
import { WorkerProgram } from "../support/program.ts";
import { type BackendRequest, RawBackend } from "../support/raw_backend.ts";
import { RawClient, requestText } from "../support/raw_client.ts";
import { ScriptedRelay } from "../support/scripted_relay.ts";
import { until } from "../support/until.ts";

const CHAT = requestText({ body: { model: "m", stream: true } });

const FIRST = "data: 1\n\n";
const LAST = "data: 2\n\n";

/**
 * Many sockets at a time overflow the queues of unaccepted connections, the relay's and the backend's, and are tried
 * again a second later, then two, then four: on a busy machine longer than the worker's dial may take.
 */
const DIALS_AT_A_TIME = 100;

test("2000 streams at a time on one worker", { timeout: 60_000 }, async () => {
  const streams = 2000;
  await using backend = await RawBackend.start((request) => request.startStream().chunk(FIRST));
  await using relay = await startRelay(["--log-level=warn"]);
  const flags = ["--models=m", `--max-concurrency=${streams}`];
  await using _worker = await WorkerProgram.start(relay.url, backend.url, flags);
  const clients = new Streams(relay.port);
  try {
    for (let open = DIALS_AT_A_TIME; open <= streams; open += DIALS_AT_A_TIME) {
      await clients.open(DIALS_AT_A_TIME);
      await until(() => clients.begun === open, `${open} streams have begun`, 10_000);
    }
    assert.equal(backend.connections, streams);
    for (const request of backend.requests) {
      request.chunk(LAST);
      request.lastChunk();
    }
    await until(() => clients.ended === streams, "every stream ends", 20_000);
    await slotsFree(relay);
  } finally {
    clients.close();
  }
});

/** Clients that count how far they are. */
class Streams {
  begun = 0;
  ended = 0;
  readonly #sockets: net.Socket[] = [];

  constructor(readonly port: number) {}

  async open(count: number): Promise<void> {
    await Promise.all(Array.from({ length: count }, () => this.#open()));
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #open(): Promise<void> {
    const socket = net.connect({ port: this.port, host: "127.0.0.1" });
    this.#sockets.push(socket);
    let received = "";
    socket.setEncoding("latin1").on("data", (text) => {
      const had = received;
      received += text;
      if (!had.includes(FIRST) && received.includes(FIRST)) this.begun++;
      if (received.includes(LAST) && received.endsWith("0\r\n\r\n")) this.ended++;
    });
    socket.write(CHAT);
    return new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  }
}

test("a worker never runs more than it takes", async () => {
  await using backend = await RawBackend.start();
  await using relay = await startRelay();
  const flags = ["--models=m", "--max-concurrency=3"];
  await using _worker = await WorkerProgram.start(relay.url, backend.url, flags);
  const clients = await Promise.all(Array.from({ length: 10 }, () => RawClient.sends(relay.port, CHAT)));
  await lineHas(relay, 7);
  for (let answered = 0; answered < 10; answered++) {
    const request = await backend.next();
    const running = backend.requests.length - answered;
    assert.ok(running <= 3, `${running} run`);
    request.reply(200, "done");
  }
  for (const client of clients) assert.equal((await client.response()).body, "done");
  await slotsFree(relay);
});

test("a worker refuses what a relay sends beyond its slots, before the backend hears of it", async () => {
  await using backend = await RawBackend.start();
  await using relay = await ScriptedRelay.start();
  await using _worker = await WorkerProgram.start(relay.url, backend.url, [
    "--models=m",
    "--max-concurrency=2",
  ]);
  const link = await relay.worker();
  assert.equal(link.register!.max_concurrent, 2);
  const answers = [link.ask(), link.ask(), link.ask()];
  const { wasReset, head } = await answers[2]!.isOver();
  if (LINK_FORM === "framed") assert.equal(wasReset, "refused");
  else assert.equal(head?.status, 503);
  for (const answer of answers.slice(0, 2)) {
    (await backend.next()).reply(200, "done");
    assert.equal((await answer.isOver()).ended, true);
  }
  assert.equal(backend.requests.length, 2);
});

test("a slot is free again after whatever ends a request", async () => {
  await using backend = await RawBackend.start();
  await using relay = await startRelay();
  await using _worker = await WorkerProgram.start(relay.url, backend.url, ["--models=m"]);
  const ends: ((request: BackendRequest, client: RawClient) => void)[] = [
    (request) => request.reply(200, "done"),
    (request) => request.reply(500, "failed"),
    (request) => request.send("HTTP/1.1 204 No Content\r\n\r\n"),
    (request) => request.send("nonsense\r\n\r\n"),
    (request) => request.reset(),
    (request) => request.startStream().reset(),
    (request) => request.startStream().lastChunk(),
    (_request, client) => client.leave(),
  ];
  for (const end of ends) {
    await using client = await RawClient.sends(
      relay.port,
      requestText({ path: "/v1/files", body: { model: "m" } }),
    );
    end(await backend.next(), client);
    await slotsFree(relay);
  }
  await workersWhen(relay, ([report]) => report!.reported_load === 0);
});
