/**
 * What a request costs that names its provider's endpoint, beside the same one through a bare `Bun.serve` + `fetch`
 * proxy with a warm pool in the same run: `bun bench/override.ts [SLOTS [WARM_UP_SECONDS]]`. The two take turns of a third
 * of a second: what else runs on the machine changes slower than that, so that neighbouring slots can be compared. Counted
 * is the CPU time of all threads of the process in the middle, over both turns, as a collector and a compiler may come
 * later, by the number of requests that were answered. Needs Linux.
 */
import { execFileSync, spawn } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { DnsServer } from "../tests/support/dns_server.ts";
import { KeysFile } from "../tests/support/keys_file.ts";
import { RelayProgram } from "../tests/support/program.ts";
import { LoadConnection, requestTo } from "./load_connection.ts";
import { startBackend, threadsCpuNs } from "./processes.ts";

const SLOTS = Number(process.argv[2] ?? 60);
/** So long a process is young: its code is still being compiled. */
const WARM_UP_SECONDS = Number(process.argv[3] ?? 10);
const SLOT_MS = 300;
const CONNECTIONS = 32;
const KEY = "sbx_key-of-the-benchmark-0123456789";

/** One of the two, with connections that stay. */
class System {
  readonly #pid: number;
  readonly #connections: LoadConnection[];
  #request: Uint8Array = new Uint8Array(0);
  #answered = 0;
  #underWay = 0;
  #running = false;
  #idle = () => {};

  constructor(url: string, pid: number) {
    this.#pid = pid;
    const answered = (connection: LoadConnection) => this.#next(connection);
    this.#connections = Array.from({ length: CONNECTIONS }, () => new LoadConnection(new URL(url), answered));
  }

  /** Send requests for so long. Returns how many were answered. */
  async run(request: Uint8Array, slotMs: number): Promise<number> {
    this.#request = request;
    this.#answered = 0;
    this.#running = true;
    for (const connection of this.#connections) this.#send(connection);
    await new Promise((resolve) => setTimeout(resolve, slotMs));
    this.#running = false;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
    return this.#answered;
  }

  cpuUs(): number {
    return threadsCpuNs(this.#pid) / 1000;
  }

  #send(connection: LoadConnection): void {
    this.#underWay++;
    connection.send(this.#request);
  }

  #next(connection: LoadConnection): void {
    this.#underWay--;
    this.#answered++;
    if (this.#running) this.#send(connection);
    else if (this.#underWay === 0) this.#idle();
  }
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
const bare = new System(proxy.url, proxy.pid);
const override = new System(relay.url, relay.pid);
try {
  console.log(execFileSync("uname", ["-sr"], { encoding: "utf8" }).trim());
  for (const path of ["/unary", "/burst"]) {
    // The proxy gets the fields too: what it passes on costs it something.
    const fields = {
      authorization: `Bearer ${KEY}`,
      "x-provider-endpoint": `http://vllm.pool.example:${port}${path}`,
    };
    const request = requestTo(new URL(path, relay.url), fields);
    for (const system of [bare, override]) await system.run(request, WARM_UP_SECONDS * 1000);
    const slots: { bareUs: number; overrideUs: number }[] = [];
    while (slots.length < SLOTS) {
      const before = { bare: bare.cpuUs(), override: override.cpuUs() };
      const answered = {
        bare: await bare.run(request, SLOT_MS),
        override: await override.run(request, SLOT_MS),
      };
      slots.push({
        bareUs: (bare.cpuUs() - before.bare) / answered.bare,
        overrideUs: (override.cpuUs() - before.override) / answered.override,
      });
    }
    const [bareUs, overrideUs] = [slots.map((slot) => slot.bareUs), slots.map((slot) => slot.overrideUs)];
    const ratios = slots.map((slot) => slot.overrideUs / slot.bareUs);
    console.log(
      [
        path.padEnd(7),
        `bare proxy ${share(bareUs, 0.1)}, ${share(bareUs, 0.5)} us`,
        `override ${share(overrideUs, 0.1)}, ${share(overrideUs, 0.5)} us`,
        `(a tenth of the slots below, half of them)`,
        `in the middle ${share(ratios, 0.5, 3)} x`,
      ].join("  "),
    );
  }
} finally {
  backend.stop();
}
process.exit();

function share(values: readonly number[], part: number, digits = 1): string {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * part)]!.toFixed(digits);
}
