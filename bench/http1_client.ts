/**
 * What one exchange with a backend costs in CPU time, without a socket: `bun bench/http1_client.ts [REPOSITORY]`, or
 * with `deno run -A`. Requests as a worker makes them, 32 at a time, over connections that are kept; each answer comes
 * in one read. With a path, the client of that copy of the repository.
 */
import process from "node:process";
import type { Http1Client as Client } from "../shared/http1/client.ts";
import type { ExchangeHandlers, HeaderPairs } from "../shared/http1/types.ts";
import type { ByteConnection, ByteHandlers, Runtime } from "../shared/runtime/ports.ts";

const AT_A_TIME = 32;
const ROUNDS = 5;
/** Enough that compiling, which is CPU time too, does not count. */
const EXCHANGES = 200_000;

const root = process.argv[2] ? new URL(`file://${process.argv[2]}/`) : new URL("..", import.meta.url);
const { Http1Client } = await import(new URL("shared/http1/client.ts", root).href);
const { systemClock } = await import(new URL("shared/clock.ts", root).href);

const HEADERS: HeaderPairs = [
  ["accept", "*/*"],
  ["accept-encoding", "gzip, deflate, br, zstd"],
  ["authorization", "Bearer sk-0e5c2a9c3f7b4c7e9d416b1f0f7d1a55"],
  ["content-type", "application/json"],
  ["user-agent", "OpenAI/Python 1.99.9"],
  ["x-request-id", "0e5c2a9c-3f7b-4c7e-9d41-6b1f0f7d1a55"],
  ["x-stainless-lang", "python"],
  ["x-stainless-os", "Linux"],
  ["via", "1.1 signalbox"],
  ["x-forwarded-for", "192.0.2.17"],
];
const REQUEST_BODY = new TextEncoder().encode("x".repeat(600));
const ANSWER = new TextEncoder().encode(
  [
    "HTTP/1.1 200 OK",
    "Date: Thu, 02 Jan 2025 03:04:05 GMT",
    "Server: uvicorn",
    "Content-Length: 600",
    "Content-Type: application/json",
    "Connection: keep-alive",
    "X-Request-Id: 0e5c2a9c-3f7b-4c7e-9d41-6b1f0f7d1a55",
    "",
    "x".repeat(600),
  ].join("\r\n"),
);

/** A backend that answers all that was asked in one turn of the event loop in the next. */
class CannedBackend implements Pick<Runtime, "dial"> {
  #asked: ByteHandlers[] = [];

  dial(_options: unknown, handlers: ByteHandlers): Promise<ByteConnection> {
    const write = () => {
      if (this.#asked.push(handlers) === 1) setImmediate(() => this.#answer());
      return true;
    };
    return Promise.resolve({ write, pause() {}, resume() {}, close() {} });
  }

  #answer(): void {
    const asked = this.#asked;
    this.#asked = [];
    for (const handlers of asked) handlers.data(ANSWER);
  }
}

const client: Client = new Http1Client({ runtime: new CannedBackend(), clock: systemClock });
const BASE_PATH = "/base";
const ORIGIN = { host: "127.0.0.1", port: 8000 };
let bodyBytes = 0;
let answerFields = 0;

/** One after the other, each asked for by the end of the one before. */
function askInTurn(times: number, done: () => void): void {
  let remaining = times;
  const ask = () => {
    const handlers: ExchangeHandlers = {
      started: () => {},
      head: ({ status, headers }) => {
        if (status !== 200) throw new Error(`wanted 200, found ${status}`);
        // As whoever passes a head on looks for what stays behind.
        answerFields += headers.filter(([name]) => name.toLowerCase() !== "connection").length;
      },
      data: (bytes) => {
        bodyBytes += bytes.length;
      },
      end: () => (--remaining > 0 ? ask() : done()),
      drain: () => {},
      failed: (failure) => {
        throw failure;
      },
    };
    const head = { method: "POST", target: `${BASE_PATH}/chat/completions`, headers: HEADERS };
    const options = { idempotent: true, firstBytes: REQUEST_BODY };
    client.request(ORIGIN, head, { length: REQUEST_BODY.length }, handlers, options);
  };
  ask();
}

function exchange(times: number): Promise<unknown> {
  return Promise.all(
    Array.from(
      { length: AT_A_TIME },
      () => new Promise<void>((resolve) => askInTurn(times / AT_A_TIME, resolve)),
    ),
  );
}

await exchange(EXCHANGES / 2);
for (let round = 0; round < ROUNDS; round++) {
  const before = process.cpuUsage();
  bodyBytes = answerFields = 0;
  await exchange(EXCHANGES);
  const { user, system } = process.cpuUsage(before);
  if (bodyBytes !== EXCHANGES * 600) throw new Error(`${bodyBytes} body bytes of ${EXCHANGES * 600}`);
  if (answerFields !== EXCHANGES * 5) throw new Error(`${answerFields} fields of ${EXCHANGES * 5}`);
  console.log(`${((user + system) / EXCHANGES).toFixed(2)} µs of CPU per exchange`);
}
client.close();
