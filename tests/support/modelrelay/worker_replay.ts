import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { test } from "node:test";
import { FakeClock } from "../fake_clock.ts";
import type { SocketProbe } from "./probe.ts";
import {
  answerBytes,
  BackendProbe,
  chunkedBytes,
  openChunkedBytes,
  RelayProbe,
  type SeenRequest,
} from "./probe_server.ts";
import { RustWorker, type RustWorkerOptions } from "./rust_worker.ts";
import { readBlocks } from "./transcript.ts";

/**
 * The recording of the real worker against its stand-in, block by block. The backend says what the recorder's
 * backend said, its date included, so what the worker sends is compared byte by byte.
 */
export const BLOCKS = readBlocks("worker");

/** The recording in its order, cut into the files that replay it. */
const SECTIONS = { messages: 18, drops: 9 };

const DATE = "date: Sat, 21 Nov 2026 19:45:52 GMT";
const JSON_UTF8 = "content-type: application/json;charset=utf-8";
const SSE = "content-type: text/event-stream";

const echo = (socket: Socket, { path, method }: SeenRequest) =>
  socket.write(answerBytes("200 OK", [JSON_UTF8, DATE], JSON.stringify({ path, method })));
const bad = (socket: Socket) =>
  socket.write(
    answerBytes("400 Bad Request", [JSON_UTF8, DATE, "retry-after: 3"], '{"error":{"message":"bad"}}'),
  );

const ANSWERS: Record<string, (socket: Socket, request: SeenRequest) => void> = {
  "*": echo,
  "/chunked": (socket) =>
    socket.write(chunkedBytes("200 OK", ["content-type: application/json", DATE], ['{"a":1}'])),
  "/err": bad,
  "/gzip": (socket) =>
    socket.write(
      answerBytes("200 OK", ["content-type: application/json", "content-encoding: gzip", DATE], damaged()),
    ),
  "/bin": (socket) =>
    socket.write(
      answerBytes(
        "200 OK",
        ["content-type: audio/mpeg", DATE, "set-cookie: z=0", "set-cookie: a=1"],
        new Uint8Array([0xff, 0xfe, 0, 0x41]),
      ),
    ),
  "/redir": (socket) => socket.write(answerBytes("302 Found", ["location: /landed"], "")),
  "/empty": (socket) => socket.write(`HTTP/1.1 204 No Content\r\n${DATE}\r\n\r\n`),
  "/sse": (socket) =>
    socket.write(chunkedBytes("200 OK", [SSE, DATE], ["data: 1\n\n", "data: 2\n\n", "data: [DONE]\n\n"])),
  "/hang": (socket) => socket.write(openChunkedBytes("200 OK", [SSE, DATE], ["data: 0\n\n"])),
  "/split": (socket) => socket.write(chunkedBytes("200 OK", [SSE, DATE], [new Uint8Array([0xc3]), "x"])),
  "/v1/models": (socket) =>
    socket.write(answerBytes("200 OK", [JSON_UTF8, DATE], '{"data":[{"id":"disc-a"},{"id":"disc-b"}]}')),
};

/** Bytes that become the recorded text when they are read as UTF-8 with replacement. */
function damaged(): Uint8Array {
  const { body } = JSON.parse(BLOCKS.get("unary gzip")![0]!);
  return Buffer.concat(
    [...body].map((unit: string) => (unit === "\ufffd" ? Buffer.from([0xff]) : Buffer.from(unit))),
  );
}

export interface Stage {
  relay: RelayProbe;
  backend: BackendProbe;
  worker: RustWorker;
  clock: FakeClock;
  socket: SocketProbe;
  lines: string[][];
}

export const REGISTER = /\{.*\}/.exec(BLOCKS.get("upgrade + register")![0]!)![0];
export const request = (id: string, path: string, more: object = {}) => ({
  type: "request",
  request_id: id,
  model: "m",
  endpoint_path: path,
  is_streaming: false,
  body: "{}",
  headers: {},
  ...more,
});
export const STREAM = { is_streaming: true };

type Options = Partial<RustWorkerOptions>;
type Replay = (stage: Stage) => Promise<void>;

export function workerReplay(section: keyof typeof SECTIONS) {
  const replayed = new Set<string>();
  return {
    /** Blocks that are replayed some other way. */
    count: (title: string) => void replayed.add(title),
    /** Replay blocks against one worker that has just registered. */
    blocks(titles: string[], options: Options, replay: Replay): void {
      for (const title of titles) replayed.add(title);
      test(`worker: ${titles.join(", ")}`, () => onStage(titles, options, replay));
    },
    /** To be called last. */
    checkComplete(): void {
      test(`worker: every block of the section ${section} is replayed`, () => {
        const { messages, drops } = SECTIONS;
        assert.equal(BLOCKS.size, messages + drops, "the sections are the whole recording");
        const titles = [...BLOCKS.keys()];
        const wanted = section === "messages" ? titles.slice(0, messages) : titles.slice(messages);
        assert.deepEqual([...replayed].sort(), wanted.sort());
      });
    },
  };
}

async function onStage(titles: string[], options: Options, replay: Replay): Promise<void> {
  const lines = titles.map((title) => BLOCKS.get(title) ?? []);
  for (const found of lines) assert.ok(found.length > 0, "the recording has this block");
  const relay = await RelayProbe.start();
  const backend = await BackendProbe.start(ANSWERS);
  const clock = new FakeClock();
  const worker = new RustWorker({
    proxyUrl: relay.url,
    backendUrl: backend.url,
    workerSecret: "sek",
    workerName: "probe",
    models: ["m", "x"],
    maxConcurrent: 4,
    clock,
    ...options,
  });
  try {
    const socket = await relay.worker();
    assert.equal(await socket.next(), REGISTER);
    await replay({ relay, backend, worker, clock, socket, lines });
    // A worker that fell over something would show it here.
    if (!options.random) assert.deepEqual(worker.drops, []);
  } finally {
    worker.stop();
    relay.stop();
    backend.stop();
  }
}
