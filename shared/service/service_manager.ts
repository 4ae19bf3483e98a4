import { spawn } from "node:child_process";
import process from "node:process";
import { type Clock, systemClock, type Timer } from "../clock.ts";
import { log } from "../log.ts";

/** What a long-running command tells systemd, when that has started it with `Type=notify`; else nothing happens. */
export interface ServiceManager {
  /** It does its work from now on. */
  ready(): void;
  /** It was told to stop, by whomever, and takes this long at most. */
  stopping(timeoutMs: number): void;
  /** It has come to its end: nothing keeps the process any more. */
  ended(): void;
}

interface Options {
  env?: Readonly<Record<string, string | undefined>>;
  clock?: Clock;
  pid?: number;
  /** Default: have `systemd-notify` say it, as neither runtime can write to a datagram socket of Unix. */
  send?(assignments: readonly string[]): void;
}

/** A stop's timeout as systemd counts it begins a little before ours, and the process needs some time to end. */
const STOP_MARGIN_MS = 5_000;

/** See sd_notify(3) and sd_watchdog_enabled(3). */
export function serviceManager({
  env = process.env,
  clock = systemClock,
  pid = process.pid,
  send = systemdNotify,
}: Options = {}): ServiceManager {
  if (!env.NOTIFY_SOCKET) return NOBODY;
  const intervalMs = watchdogMs(env, pid) / 2;
  let timer: Timer | undefined;
  const beat = () => {
    timer = clock.after(intervalMs, () => {
      send(["WATCHDOG=1"]);
      beat();
    });
  };
  return {
    ready() {
      send(["READY=1"]);
      if (intervalMs > 0) beat();
    },
    stopping: (timeoutMs) =>
      send(["STOPPING=1", `EXTEND_TIMEOUT_USEC=${Math.ceil((timeoutMs + STOP_MARGIN_MS) * 1000)}`]),
    ended: () => timer?.cancel(),
  };
}

const NOBODY: ServiceManager = { ready() {}, stopping() {}, ended() {} };

/** Within which time systemd wants to hear something; 0: it does not. */
function watchdogMs({ WATCHDOG_USEC, WATCHDOG_PID }: NonNullable<Options["env"]>, pid: number): number {
  const isForUs = !WATCHDOG_PID || WATCHDOG_PID === String(pid);
  return isForUs && /^[1-9]\d*$/.test(WATCHDOG_USEC ?? "") ? Number(WATCHDOG_USEC) / 1000 : 0;
}

function systemdNotify(assignments: readonly string[]): void {
  const child = spawn("systemd-notify", assignments, { stdio: "ignore" });
  const failed = (why: unknown) => log.warn("systemd was not told", { assignments, why });
  child.on("error", (error) => failed(error.message));
  child.on("exit", (code) => code === 0 || failed(`systemd-notify ended with ${code}`));
  child.unref();
}
