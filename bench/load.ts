/**
 * A load generator: `bun bench/load.ts URL CONNECTIONS SECONDS [RATE [HEADERS]]`. A closed loop over raw sockets, or
 * RATE requests a second in all, evenly spread. HEADERS are further fields as JSON. Prints how many were answered and
 * how long they took, as JSON.
 */
import { connect, type Socket } from "node:net";
import process from "node:process";

const [, , target = "", connections = "32", seconds = "5", rate = "0", headers = "{}"] = process.argv;
const fields = Object.entries(JSON.parse(headers)).map(([name, value]) => `${name}: ${value}\r\n`);
const url = new URL(target);
const body = JSON.stringify({ model: "m", messages: [{ role: "user", content: "x".repeat(940) }] });
const request = Buffer.from(
  `POST ${url.pathname}${url.search} HTTP/1.1\r\nhost: ${url.host}\r\ncontent-type: application/json\r\n` +
    `${fields.join("")}content-length: ${body.length}\r\n\r\n${body}`,
);
const TAIL = Buffer.from("0\r\n\r\n");

const tookMs: number[] = [];
const idle: Connection[] = [];
let stopping = false;

class Connection {
  #startedMs = 0;
  #left = -1;
  #head = "";
  #chunked = false;
  readonly #socket: Socket;

  constructor() {
    this.#socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true });
    this.#socket.on("data", (data: Buffer) => this.#read(data));
    this.#socket.on("error", (error) => {
      console.error(error.message);
      process.exit(1);
    });
  }

  send(): void {
    this.#startedMs = performance.now();
    this.#left = -1;
    this.#head = "";
    this.#socket.write(request);
  }

  #read(data: Buffer): void {
    if (this.#left < 0) {
      this.#head += data.toString("latin1");
      const end = this.#head.indexOf("\r\n\r\n");
      if (end < 0) return;
      if (!this.#head.startsWith("HTTP/1.1 200")) {
        console.error(this.#head);
        process.exit(1);
      }
      const length = /content-length: (\d+)/i.exec(this.#head)?.[1];
      this.#chunked = length === undefined;
      this.#left = Number(length ?? 0) - (this.#head.length - end - 4);
    } else if (!this.#chunked) this.#left -= data.length;
    const over = this.#chunked ? data.subarray(-TAIL.length).equals(TAIL) : this.#left <= 0;
    if (over) this.#done();
  }

  #done(): void {
    tookMs.push(performance.now() - this.#startedMs);
    if (stopping) return;
    if (Number(rate) > 0) idle.push(this);
    else this.send();
  }
}

const pool = Array.from({ length: Number(connections) }, () => new Connection());
const startedMs = performance.now();
if (Number(rate) > 0) {
  idle.push(...pool);
  let sent = 0;
  setInterval(() => {
    const due = ((performance.now() - startedMs) * Number(rate)) / 1000;
    for (; sent < due && idle.length > 0; sent++) idle.pop()!.send();
  }, 1);
} else for (const connection of pool) connection.send();
setTimeout(() => {
  stopping = true;
  const cpu = process.cpuUsage();
  tookMs.sort((a, b) => a - b);
  const at = (share: number) => Number(tookMs[Math.floor(tookMs.length * share)]?.toFixed(3));
  console.log(
    JSON.stringify({
      requests: tookMs.length,
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      ownCpuShare: (cpu.user + cpu.system) / 1e6 / Number(seconds),
    }),
  );
  process.exit(0);
}, Number(seconds) * 1000);
