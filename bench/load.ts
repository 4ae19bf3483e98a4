/**
 * A load generator: `bun bench/load.ts URL CONNECTIONS SECONDS [RATE [HEADERS]]`. A closed loop over raw sockets, or
 * RATE requests a second in all, evenly spread. HEADERS are further fields as JSON. Prints how many were answered and
 * how long they took, as JSON.
 */
import process from "node:process";
import { LoadConnection, requestTo } from "./load_connection.ts";

const [, , target = "", connections = "32", seconds = "5", rate = "0", headers = "{}"] = process.argv;
const url = new URL(target);
const request = requestTo(url, JSON.parse(headers));

const tookMs: number[] = [];
const idle: LoadConnection[] = [];
const startedAtMs = new Map<LoadConnection, number>();
let stopping = false;

function send(connection: LoadConnection): void {
  startedAtMs.set(connection, performance.now());
  connection.send(request);
}

function answered(connection: LoadConnection): void {
  tookMs.push(performance.now() - startedAtMs.get(connection)!);
  if (stopping) return;
  if (Number(rate) > 0) idle.push(connection);
  else send(connection);
}

const pool = Array.from({ length: Number(connections) }, () => new LoadConnection(url, answered));
const startedMs = performance.now();
if (Number(rate) > 0) {
  idle.push(...pool);
  let sent = 0;
  setInterval(() => {
    const due = ((performance.now() - startedMs) * Number(rate)) / 1000;
    for (; sent < due && idle.length > 0; sent++) send(idle.pop()!);
  }, 1);
} else for (const connection of pool) send(connection);
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
