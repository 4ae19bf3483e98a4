/**
 * What relaying costs, beside one hop of nginx in the same run: `bun bench/relay.ts [SECONDS]`.
 *
 * Counted is the CPU time of the processes under test (utime + stime of `/proc/PID/stat`) over the number of
 * requests that were answered, so that a busy machine does not change the figure much. Needs Linux, nginx (Debian's nginx-light).
 */
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { RelayProgram, WorkerProgram } from "../tests/support/program.ts";
import { cpuMs, startBackend } from "./processes.ts";

const SECONDS = Number(process.argv[2] ?? 5);
const CONNECTIONS = 32;

const folder = mkdtempSync(join(tmpdir(), "signalbox-bench-"));
function startNginx(backendUrl: string): { url: string; pids: number[]; stop(): void } {
  const port = 20_000 + (process.pid % 10_000);
  const conf = join(folder, "nginx.conf");
  writeFileSync(
    conf,
    `worker_processes 1; pid ${folder}/nginx.pid; error_log ${folder}/error.log; daemon off;
    events { worker_connections 4096; }
    http { access_log off; upstream b { server ${new URL(backendUrl).host}; keepalive 64; }
      keepalive_requests 1000000000;
      client_body_temp_path ${folder}; proxy_temp_path ${folder}; client_max_body_size 0;
      server { listen 127.0.0.1:${port}; location / { proxy_pass http://b; proxy_http_version 1.1;
        proxy_set_header Connection ""; proxy_buffering off; proxy_request_buffering off; } } }`,
  );
  const child = spawn("nginx", ["-c", conf, "-p", folder], { stdio: "ignore" });
  const children = () =>
    execFileSync("pgrep", ["-P", String(child.pid)], { encoding: "utf8" })
      .trim()
      .split("\n")
      .map(Number);
  return {
    url: `http://127.0.0.1:${port}`,
    get pids() {
      return children();
    },
    stop: () => child.kill("SIGTERM"),
  };
}

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
const nginx = startNginx(backend.url);
await using relay = await RelayProgram.start(["--log-level", "warn"]);
await using worker = await WorkerProgram.start(relay.url, backend.url, [
  "--models",
  "m",
  "--max-concurrency",
  "256",
  "--log-level",
  "info",
]);
const systems: System[] = [
  { name: "backend alone", url: backend.url, pids: [] },
  {
    name: "nginx",
    url: nginx.url,
    get pids() {
      return nginx.pids;
    },
  },
  { name: "signalbox", url: relay.url, pids: [relay.pid, worker.pid] },
];
try {
  for (const path of ["/unary", "/burst"]) {
    let floor = 0;
    for (const system of systems) {
      const { cpuUs, each, rate, p50Ms } = measure(system, path);
      if (system.name === "nginx") floor = cpuUs;
      const parts = each.map((cpu) => cpu.toFixed(0)).join(" + ");
      const ratio = floor > 0 ? `  ${(cpuUs / floor).toFixed(2)} x nginx` : "";
      console.log(
        `${path.padEnd(8)} ${system.name.padEnd(14)} ${rate.toFixed(0).padStart(6)}/s  p50 ${p50Ms.toFixed(2)} ms  CPU ${cpuUs.toFixed(0)} us (${parts})${ratio}`,
      );
    }
  }
} finally {
  nginx.stop();
  backend.stop();
  rmSync(folder, { recursive: true, force: true });
}
