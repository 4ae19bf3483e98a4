/**
 * What relaying costs, beside one hop of nginx in the same run: `bun bench/relay.ts [ROUNDS [WARM_UP_SECONDS]]`.
 * nginx is there twice: as `proxy_pass` alone makes it, with a connection to the backend for each request, and with
 * connections that are kept.
 *
 * Counted is the CPU time of the processes under test (utime + stime of `/proc/PID/stat`) over the number of
 * requests that were answered, so that a busy machine does not change the figure much. All systems take turns of a
 * second, once their code is compiled; printed is the middle of the rounds. Needs Linux and nginx (Debian's nginx-light).
 */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { RelayProgram, WorkerProgram } from "../tests/support/program.ts";
import { startNginx } from "./nginx.ts";
import { cpuMs, startBackend } from "./processes.ts";

const ROUNDS = Number(process.argv[2] ?? 9);
const WARM_UP_SECONDS = Number(process.argv[3] ?? 8);
const ROUND_SECONDS = 1;
const CONNECTIONS = 32;

interface Load {
  requests: number;
  p50Ms: number;
  p99Ms: number;
  ownCpuShare: number;
}

function load(url: string, seconds: number): Load {
  const script = join(import.meta.dirname, "load.ts");
  return JSON.parse(
    execFileSync("bun", [script, url, String(CONNECTIONS), String(seconds)], { encoding: "utf8" }),
  );
}

interface System {
  name: string;
  url: string;
  pids: number[];
}

/** A round: what one request took. */
interface Reading {
  /** By process. */
  cpuUs: number[];
  rate: number;
  p50Ms: number;
  ownCpuShare: number;
}

function measure({ url, pids }: System, path: string): Reading {
  const beforeMs = pids.map(cpuMs);
  const { requests, p50Ms, ownCpuShare } = load(`${url}${path}`, ROUND_SECONDS);
  const cpuUs = pids.map((pid, at) => ((cpuMs(pid) - beforeMs[at]!) * 1000) / requests);
  return { cpuUs, rate: requests / ROUND_SECONDS, p50Ms, ownCpuShare };
}

const total = ({ cpuUs }: Reading) => cpuUs.reduce((sum, us) => sum + us, 0);

function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

/** `floor`: the readings of the same rounds that these are compared with. */
function report(name: string, readings: readonly Reading[], floor: readonly Reading[]): string {
  const of = (value: (reading: Reading) => number) => middle(readings.map(value));
  const each = readings[0]!.cpuUs.map((_, at) => of(({ cpuUs }) => cpuUs[at]!).toFixed(0));
  const ratio = middle(readings.map((reading, round) => total(reading) / total(floor[round]!)));
  return [
    name.padEnd(14),
    `${of(({ rate }) => rate)
      .toFixed(0)
      .padStart(6)}/s`,
    `p50 ${of(({ p50Ms }) => p50Ms).toFixed(2)} ms`,
    `load generator ${(of(({ ownCpuShare }) => ownCpuShare) * 100).toFixed(0)} %`,
    ...(each.length > 0
      ? [`CPU ${of(total).toFixed(0)} us (${each.join(" + ")})`, `${ratio.toFixed(2)} x nginx`]
      : []),
  ].join("  ");
}

const backend = await startBackend();
const plainNginx = await startNginx(backend.url, false);
const tunedNginx = await startNginx(backend.url, true);
await using relay = await RelayProgram.start(["--log-level", "warn"]);
await using worker = await WorkerProgram.start(relay.url, backend.url, [
  "--models",
  "m",
  "--max-concurrency",
  "256",
]);
const systems: System[] = [
  { name: "backend alone", url: backend.url, pids: [] },
  { name: "nginx", url: plainNginx.url, pids: plainNginx.pids },
  { name: "nginx, tuned", url: tunedNginx.url, pids: tunedNginx.pids },
  { name: "signalbox", url: relay.url, pids: [relay.pid, worker.pid] },
];
try {
  for (const path of ["/unary", "/burst"]) {
    for (const { url } of systems) load(`${url}${path}`, WARM_UP_SECONDS);
    const readings: Reading[][] = systems.map(() => []);
    for (let round = 0; round < ROUNDS; round++) {
      for (const [at, system] of systems.entries()) readings[at]!.push(measure(system, path));
    }
    for (const [at, { name }] of systems.entries()) {
      console.log(`${path.padEnd(7)}  ${report(name, readings[at]!, readings[1]!)}`);
    }
  }
} finally {
  plainNginx.stop();
  tunedNginx.stop();
  backend.stop();
}
