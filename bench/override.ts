/**
 * What a request costs that names its provider's endpoint, beside the same one through a bare `Bun.serve` + `fetch`
 * proxy with a warm pool in the same run: `bun bench/override.ts [SECONDS [ROUNDS]]`. Counted is CPU time of the process in the middle (utime +
 * stime of `/proc/PID/stat`) over the number of requests that were answered, once both have run for a while. The systems
 * take turns, so that a busy machine is busy for all of them. Needs Linux.
 */
import { execFileSync, spawn } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { DnsServer } from "../tests/support/dns_server.ts";
import { KeysFile } from "../tests/support/keys_file.ts";
import { RelayProgram } from "../tests/support/program.ts";
import { cpuMs, startBackend } from "./processes.ts";

const SECONDS = Number(process.argv[2] ?? 4);
const ROUNDS = Number(process.argv[3] ?? 3);
/** So long a process is young: its code is still being compiled. */
const WARM_UP_SECONDS = 4;
const CONNECTIONS = 32;
const KEY = "sbx_key-of-the-benchmark-0123456789";

interface System {
  name: string;
  url: string;
  pid: number;
}

/** The proxy gets them too: what it passes on costs it something. */
const headers = (path: string) => ({
  authorization: `Bearer ${KEY}`,
  "x-provider-endpoint": `http://vllm.pool.example:${port}${path}`,
});

async function load({ url }: System, path: string, seconds: number): Promise<number> {
  const script = join(import.meta.dirname, "load.ts");
  const words = [
    script,
    url + path,
    String(CONNECTIONS),
    String(seconds),
    "0",
    JSON.stringify(headers(path)),
  ];
  const child = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  for await (const piece of child.stdout) text += piece;
  return (JSON.parse(text) as { requests: number }).requests;
}

/** Microseconds of CPU for a request. */
async function cost(system: System, path: string): Promise<number> {
  const beforeMs = cpuMs(system.pid);
  const requests = await load(system, path, SECONDS);
  return ((cpuMs(system.pid) - beforeMs) * 1000) / requests;
}

async function startProxy(origin: string): Promise<{ url: string; pid: number }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "fetch_proxy.ts"), origin], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  process.on("exit", () => child.kill("SIGKILL"));
  const url = await new Promise<string>((resolve) => {
    child.stdout.setEncoding("utf8").once("data", (text) => resolve(text.trim()));
  });
  return { url, pid: child.pid! };
}

const backend = await startBackend();
const port = new URL(backend.url).port;
await using dns = await DnsServer.start(() => ["127.0.0.1"]);
using keys = new KeysFile({ bench: KEY }, { bench: ["override"] });
const table = {
  resolver: `127.0.0.1:${dns.port}`,
  endpoint: [
    { name: "bench", patterns: [`http://vllm.pool.example:${port}/**`], allow_private: ["127.0.0.0/8"] },
  ],
};
const flags = ["--log-level", "warn", "--api-keys-file", keys.path];
await using relay = await RelayProgram.start(flags, { env: { SIGNALBOX_OVERRIDE: JSON.stringify(table) } });
const proxy = await startProxy(backend.url);
const systems: System[] = [
  { name: "bare proxy", ...proxy },
  { name: "override", url: relay.url, pid: relay.pid },
];
try {
  console.log(execFileSync("uname", ["-sr"], { encoding: "utf8" }).trim());
  for (const path of ["/unary", "/burst"]) {
    const ratios: number[] = [];
    for (const system of systems) await load(system, path, WARM_UP_SECONDS);
    for (let round = 1; round <= ROUNDS; round++) {
      const costs: number[] = [];
      for (const system of systems) costs.push(await cost(system, path));
      const [bare = 0, override = 0] = costs;
      ratios.push(override / bare);
      console.log(
        [
          path.padEnd(7),
          `bare proxy ${bare.toFixed(0)} us`,
          `override ${override.toFixed(0)} us`,
          `${(override / bare).toFixed(2)} x`,
        ].join("  "),
      );
    }
    const middle = ratios.toSorted((a, b) => a - b)[Math.floor(ratios.length / 2)]!;
    console.log(`${path.padEnd(7)}  in the middle ${middle.toFixed(2)} x`);
  }
} finally {
  backend.stop();
}
process.exit();
