/**
 * Long bodies and slow readers: `bun bench/bulk.ts [ROUNDS]`. A gigabyte down and up through a fresh relay and worker,
 * its SHA-256 compared, its speed beside nginx's, and how much either process grew; then 100 and 500 readers that take
 * nothing of endless streams, what is held for them, and how long a request beside them takes: through the relay and
 * through nginx. Needs Linux, nginx and curl.
 */
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
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

const rounds = Number(process.argv[2] ?? 5);

/** A relay and its worker. */
async function startRelay(backendUrl: string) {
  const relay = await RelayProgram.start(["--log-level", "warn"]);
  const worker = await WorkerProgram.start(relay.url, backendUrl, [
    ...["--models", "m"],
    ...["--max-concurrency", "1000"],
  ]);
  const stop = async () => {
    await worker.kill();
    await relay.kill();
  };
  return { url: relay.url, pids: [relay.pid, worker.pid], [Symbol.asyncDispose]: stop };
}

/** Runs `work` while looking at the memory of processes; returns the most that each had above its start, in bytes. */
async function growthDuring(pids: number[], work: () => Promise<void>): Promise<number[]> {
  const before = pids.map(residentBytes);
  const most = [...before];
  const timer = setInterval(() => {
    for (const [at, pid] of pids.entries()) most[at] = Math.max(most[at]!, residentBytes(pid));
  }, 50);
  await work();
  clearInterval(timer);
  return most.map((bytes, at) => bytes - before[at]!);
}

const megabytes = (bytes: readonly number[]) => bytes.map((n) => `${(n / MB).toFixed(0)} MB`).join(" + ");

/** The least, the one in the middle and the most. */
function range(values: readonly number[], digits: number): string {
  const sorted = [...values].sort((a, b) => a - b);
  const [least, middle, most] = [0, sorted.length >> 1, sorted.length - 1].map((at) =>
    sorted[at]!.toFixed(digits),
  );
  return `${middle} (${least} to ${most})`;
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

async function transfers(name: string, run: (url: string) => Promise<string>): Promise<void> {
  const backend = await startBackend();
  const nginx = await startNginx(backend.url, true);
  const speeds: number[] = [];
  const ratios: number[] = [];
  const grown: number[][] = [];
  for (let round = 0; round < rounds; round++) {
    const floor = Number(await run(nginx.url));
    await using relay = await startRelay(backend.url);
    grown.push(
      await growthDuring(relay.pids, async () => {
        speeds.push(Number(await run(relay.url)));
      }),
    );
    ratios.push(speeds.at(-1)! / floor);
  }
  const growth = (at: number) =>
    range(
      grown.map((pair) => pair[at]! / MB),
      0,
    );
  const speed = range(
    speeds.map((bytes) => bytes / MB),
    0,
  );
  console.log(
    `${name}: ${range(ratios, 2)} x nginx, ${speed} MB/s; the relay grew by ${growth(0)} MB, the worker by ${growth(1)} MB`,
  );
  nginx.stop();
  backend.stop();
}

async function digests(): Promise<void> {
  const backend = await startBackend();
  await using relay = await startRelay(backend.url);
  const got = execFileSync("sh", ["-c", `curl -sS '${relay.url}/bulk?bytes=${BYTES}' | sha256sum`], {
    encoding: "utf8",
  });
  const sent = await curl(["-X", "POST", "-H", "expect:", "-T", file, `${relay.url}/digest`]);
  const said = (isEqual: boolean) => (isEqual ? "equal" : "DIFFERENT");
  console.log(
    `SHA-256 of the download ${said(got.startsWith(digest))}, of the upload ${said(sent === digest)}`,
  );
  backend.stop();
}

/**
 * Each of these readers fills the buffers of its connection. When all of them together come near what the kernel gives
 * TCP (the second figure of tcp_mem), every connection of the machine slows down: the line says how near it was. The
 * backend holds little by itself, which not every backend does: what is seen is what stands in front of it.
 */
async function stalledReaders(name: string, front: { url: string; pids: number[] }, count: number) {
  const { port } = new URL(front.url);
  const ask = async () => (await fetch(`${front.url}/unary`, { method: "POST", body: "{}" })).text();
  await ask();
  const tookMs: number[] = [];
  const sockets: Socket[] = [];
  const growth = await growthDuring(front.pids, async () => {
    for (let n = 0; n < count; n++) sockets.push(stalled(Number(port)));
    for (let n = 0; n < 100; n++) {
      const startedMs = performance.now();
      await ask();
      tookMs.push(performance.now() - startedMs);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });
  tookMs.sort((a, b) => a - b);
  console.log(
    `${count} stalled readers, ${name}: grew by ${megabytes(growth)}, hold ${megabytes(front.pids.map(residentBytes))}; a request beside them p50 ${tookMs[50]!.toFixed(1)} ms, p99 ${tookMs[98]!.toFixed(1)} ms; kernel's TCP memory at ${tcpPressure()} of its pressure limit`,
  );
  for (const socket of sockets) socket.destroy();
}

function stalled(port: number): Socket {
  const socket = connect({ host: "127.0.0.1", port });
  socket.on("error", () => {});
  socket.pause();
  socket.write("GET /endless HTTP/1.1\r\nhost: a\r\n\r\n");
  return socket;
}

function tcpPressure(): string {
  const used = Number(/TCP: .* mem (\d+)/.exec(readFileSync("/proc/net/sockstat", "utf8"))![1]);
  const limit = Number(readFileSync("/proc/sys/net/ipv4/tcp_mem", "utf8").split(/\s+/)[1]);
  return `${((used / limit) * 100).toFixed(0)} %`;
}

try {
  await transfers("download", down);
  await transfers("upload", up);
  await digests();
  for (const count of [100, 500]) {
    const backend = await startBackend("--hold-little");
    {
      await using relay = await startRelay(backend.url);
      await stalledReaders("the relay", relay, count);
    }
    const nginx = await startNginx(backend.url, true);
    await stalledReaders("nginx", nginx, count);
    nginx.stop();
    backend.stop();
  }
} finally {
  rmSync(folder, { recursive: true });
}
