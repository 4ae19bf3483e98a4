/**
 * What reading one response costs in CPU time, parser alone: `bun bench/http1_parser.ts`, or with `deno run -A`.
 * Events are counted, so that nothing can be left out as unused.
 */
import process from "node:process";
import { ResponseParser } from "../shared/http1/response_parser.ts";

const HEAD = [
  "HTTP/1.1 200 OK",
  "Date: Thu, 02 Jan 2025 03:04:05 GMT",
  "Server: uvicorn",
  "Content-Type: application/json",
  "X-Request-Id: 0e5c2a9c-3f7b-4c7e-9d41-6b1f0f7d1a55",
];

const EVENT_BYTES = 160;
const EVENTS = 100;

const unary = response([...HEAD, "Content-Length: 600"], "x".repeat(600));
const event = `data: ${"x".repeat(EVENT_BYTES - 8)}\n\n`;
const chunk = `${EVENT_BYTES.toString(16)}\r\n${event}\r\n`;
const burst = response([...HEAD, "Transfer-Encoding: chunked"], `${chunk.repeat(EVENTS)}0\r\n\r\n`);

/** As they come from the network, new arrays each time: in one piece, in reads of 16 KiB that a burst gives, and one chunk a read. */
measure("600 B answer, one read", [unary]);
measure(`${EVENTS} chunks, reads of 16 KiB`, pieces(burst, 16 * 1024));
measure(`${EVENTS} chunks, one a read`, pieces(burst, chunk.length));

function response(head: string[], body: string): Uint8Array {
  return new TextEncoder().encode(`${head.join("\r\n")}\r\n\r\n${body}`);
}

function pieces(bytes: Uint8Array, size: number): Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
    bytes.slice(at * size, (at + 1) * size),
  );
}

function measure(name: string, reads: Uint8Array[]): void {
  let bodyBytes = 0;
  let ends = 0;
  const parser = new ResponseParser({
    head: () => {},
    data: (bytes) => {
      bodyBytes += bytes.length;
    },
    end: () => {
      ends++;
    },
    switched: () => {},
  });
  const run = (times: number) => {
    for (let round = 0; round < times; round++) {
      parser.begin("GET");
      for (const read of reads) parser.receive(read.slice());
    }
  };
  // Enough that compiling, which is CPU time too, does not count.
  const rounds = 100_000;
  run(rounds / 4);
  const before = process.cpuUsage();
  run(rounds);
  const { user, system } = process.cpuUsage(before);
  const eachUs = (user + system) / rounds;
  if (ends !== rounds * 1.25) throw new Error(`${name}: ${ends} of ${rounds * 1.25} responses were complete`);
  console.log(`${name}: ${eachUs.toFixed(2)} µs of CPU per response (${bodyBytes / ends} body bytes)`);
}
