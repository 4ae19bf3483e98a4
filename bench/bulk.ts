/**
 * Long bodies and slow readers: `bun bench/bulk.ts`. A gigabyte down and up through the relay, its SHA-256 compared,
 * its speed beside nginx's, and how much either process grew; then 100 and 500 readers that take nothing of endless streams,
 * what the relay holds for them, and how long a request beside them takes. Needs Linux, nginx and curl.
 */
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RelayProgram, WorkerProgram } from "../tests/support/program.ts";
import { block } from "./block.ts";
import { startNginx } from "./nginx.ts";
import { residentBytes, startBackend } from "./processes.ts";

const BYTES = 2 ** 30;
const MB = 1e6;

const folder = mkdtempSync(join(tmpdir(), "signalbox-bulk-"));
const file = join(folder, "body");
const piece = block();
const repeats = BYTES / piece.length;
const expected = createHash("sha256");
for (let n = 0; n < repeats; n++) expected.update(piece);
const digest = expected.digest("hex");
writeFileSync(file, "");
for (let n = 0; n < repeats; n += 64)
  writeFileSync(file, Buffer.concat(Array(64).fill(piece)), { flag: "a" });

const backend = await startBackend();
const nginx = await startNginx(backend.url, true);
await using relay = await RelayProgram.start(["--log-level", "warn"]);
await using worker = await WorkerProgram.start(relay.url, backend.url, [
  "--models",
  "m",
  "--max-concurrency",
  "1000",
]);

/** Runs `work` while looking at the memory of both processes; returns the most that each had above its start. */
async function growthDuring(work: () => Promise<void>): Promise<string> {
  const pids = [relay.pid, worker.pid];
  const before = pids.map(residentBytes);
  const most = [...before];
  const timer = setInterval(() => {
    for (const [at, pid] of pids.entries()) most[at] = Math.max(most[at]!, residentBytes(pid));
  }, 50);
  await work();
  clearInterval(timer);
  return pids.map((_, at) => `${((most[at]! - before[at]!) / MB).toFixed(0)} MB`).join(" + ");
}

function curl(args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn("curl", ["-sS", "--fail", ...args], { stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (data) => (text += data));
    child.on("close", (code) => (code === 0 ? resolve(text) : reject(new Error(`curl ended with ${code}`))));
  });
}

const down = (url: string) =>
  curl(["-o", "/dev/null", "-w", "%{speed_download}", `${url}/bulk?bytes=${BYTES}`]);
const up = (url: string) =>
  curl([
    "-X",
    "POST",
    "-H",
    "expect:",
    "-T",
    file,
    "-o",
    "/dev/null",
    "-w",
    "%{speed_upload}",
    `${url}/upload`,
  ]);

try {
  for (const [name, run] of [
    ["download", down],
    ["upload", up],
  ] as const) {
    const floor = Number(await run(nginx.url));
    let speed = 0;
    const growth = await growthDuring(async () => {
      speed = Number(await run(relay.url));
    });
    const ratio = (speed / floor).toFixed(2);
    console.log(
      `${name}: ${(speed / MB).toFixed(0)} MB/s, ${ratio} x nginx (${(floor / MB).toFixed(0)}); grew by ${growth} (relay + worker)`,
    );
  }
  const got = execFileSync("sh", ["-c", `curl -sS '${relay.url}/bulk?bytes=${BYTES}' | sha256sum`], {
    encoding: "utf8",
  });
  const sent = await curl(["-X", "POST", "-H", "expect:", "-T", file, `${relay.url}/digest`]);
  console.log(
    `SHA-256 of the download ${got.startsWith(digest) ? "equal" : "DIFFERENT"}, of the upload ${sent === digest ? "equal" : "DIFFERENT"}`,
  );
  await stalledReaders(100);
  await stalledReaders(500);
} finally {
  nginx.stop();
  backend.stop();
  rmSync(folder, { recursive: true });
}

/**
 * Each stalled reader fills its socket's buffers, about 4 MB of the kernel's. When all of them together come near the
 * kernel's limit for TCP (the second figure of tcp_mem), every connection of the machine slows down, ours too: the
 * line says how near it was.
 */
async function stalledReaders(count: number): Promise<void> {
  const { port } = new URL(relay.url);
  const sockets = Array.from({ length: count }, () => {
    const socket = connect({ host: "127.0.0.1", port: Number(port) });
    socket.on("error", () => {});
    socket.pause();
    socket.write("GET /endless HTTP/1.1\r\nhost: a\r\n\r\n");
    return socket;
  });
  const tookMs: number[] = [];
  const growth = await growthDuring(async () => {
    for (let n = 0; n < 100; n++) {
      const startedMs = performance.now();
      await (await fetch(`${relay.url}/unary`, { method: "POST", body: "{}" })).text();
      tookMs.push(performance.now() - startedMs);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });
  tookMs.sort((a, b) => a - b);
  const held = [relay.pid, worker.pid].map((pid) => `${(residentBytes(pid) / MB).toFixed(0)} MB`).join(" + ");
  console.log(
    `${count} stalled readers: grew by ${growth}, hold ${held}; a request beside them p50 ${tookMs[50]!.toFixed(1)} ms, p99 ${tookMs[98]!.toFixed(1)} ms; kernel's TCP memory at ${tcpPressure()} of its pressure limit`,
  );
  for (const socket of sockets) socket.destroy();
}

function tcpPressure(): string {
  const used = Number(/TCP: .* mem (\d+)/.exec(readFileSync("/proc/net/sockstat", "utf8"))![1]);
  const limit = Number(readFileSync("/proc/sys/net/ipv4/tcp_mem", "utf8").split(/\s+/)[1]);
  return `${((used / limit) * 100).toFixed(0)} %`;
}
