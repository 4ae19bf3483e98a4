import { execFileSync, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

const TICK_MS = 1000 / Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));

/** CPU time that a process has used, user and system, in milliseconds. */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** The same in nanoseconds, which is fine enough for parts of a second: what its threads that still live have used. */
export function threadsCpuNs(pid: number): number {
  let sum = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) sum += threadCpuNs(`/proc/${pid}/task/${thread}`);
  return sum;
}

function threadCpuNs(folder: string): number {
  try {
    return Number(readFileSync(`${folder}/schedstat`, "utf8").split(" ", 1)[0]);
  } catch {
    return 0; // It ended meanwhile.
  }
}

/** What a process holds of memory, in bytes. */
export function residentBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) * 1024;
}

/** The backend of the benchmarks, as a process. */
export async function startBackend(...args: string[]): Promise<{ url: string; pid: number; stop(): void }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "raw_backend.ts"), ...args], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  // Also when the run fails: nothing stays behind.
  process.on("exit", () => child.kill("SIGKILL"));
  const url = await new Promise<string>((resolve) => {
    child.stdout.setEncoding("utf8").on("data", (text) => resolve(text.trim()));
  });
  return { url, pid: child.pid!, stop: () => child.kill("SIGKILL") };
}
