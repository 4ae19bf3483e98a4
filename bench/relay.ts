/**
 * What relaying costs, beside one hop of nginx in the same run: `bun bench/relay.ts [SECONDS]`. nginx is there
 * twice: as `proxy_pass` alone makes it, with a connection to the backend for each request, and with connections
 * that are kept. Ratios are to the first.
 *
 * Counted is the CPU time of the processes under test (utime + stime of `/proc/PID/stat`) over the number of
 * requests that were answered, so that a busy machine does not change the figure much. Needs Linux and nginx
 * (Debian's nginx-light).
 */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { RelayProgram, WorkerProgram } from "../tests/support/program.ts";
import { startNginx } from "./nginx.ts";
import { cpuMs, startBackend } from "./processes.ts";

const SECONDS = Number(process.argv[2] ?? 5);
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

function measure(system: System, path: string) {
  load(`${system.url}${path}`, 1);
  const before = system.pids.map(cpuMs);
  const { requests, p50Ms, ownCpuShare } = load(`${system.url}${path}`, SECONDS);
  const each = system.pids.map((pid, at) => ((cpuMs(pid) - before[at]!) * 1000) / requests);
  return {
    cpuUs: each.reduce((sum, cpu) => sum + cpu, 0),
    each,
    rate: requests / SECONDS,
    p50Ms,
    ownCpuShare,
  };
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
    let floorUs = 0;
    for (const system of systems) {
      const { cpuUs, each, rate, p50Ms, ownCpuShare } = measure(system, path);
      if (system.name === "nginx") floorUs = cpuUs;
      const columns = [
        path.padEnd(7),
        system.name.padEnd(14),
        `${rate.toFixed(0).padStart(6)}/s`,
        `p50 ${p50Ms.toFixed(2)} ms`,
        `load generator ${(ownCpuShare * 100).toFixed(0)} %`,
        ...(each.length > 0
          ? [`CPU ${cpuUs.toFixed(0)} us (${each.map((us) => us.toFixed(0)).join(" + ")})`]
          : []),
        ...(floorUs > 0 ? [`${(cpuUs / floorUs).toFixed(2)} x nginx`] : []),
      ];
      console.log(columns.join("  "));
    }
  }
} finally {
  plainNginx.stop();
  tunedNginx.stop();
  backend.stop();
}
