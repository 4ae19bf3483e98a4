import { spawn } from "node:child_process";
import process from "node:process";
import { type Clock, systemClock, type Timer } from "../clock.ts";
import { log } from "../log.ts";

export interface ServiceRun {
  /** Resolves when somebody wants it to stop. */
  readonly stop: Promise<unknown>;
  /** How long it takes then, at most. */
  readonly drainTimeoutMs: number;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly clock?: Clock;
  readonly pid?: number;
  /** Default: have `systemd-notify` say it. */
  send?(assignments: readonly string[]): void;
}

/** systemd counts from the signal on, and a process that has drained still has to end. */
const STOP_MARGIN_MS = 5_000;

/**
 * Tell systemd that a long-running command does its work from now on, until what is given back is disposed of: that
 * it is ready, again and again that it lives, and when it stops how long that may take. Nothing happens where systemd
 * did not start it with `Type=notify`. See sd_notify(3) and sd_watchdog_enabled(3).
 */
export function tellServiceManager({
  stop,
  drainTimeoutMs,
  env = process.env,
  clock = systemClock,
  pid = process.pid,
  send = systemdNotify,
}: ServiceRun): Disposable {
  if (!env.NOTIFY_SOCKET) return { [Symbol.dispose]() {} };
  // Twice in the time after which systemd takes us for dead.
  const intervalMs = watchdogMs(env, pid) / 2;
  let timer: Timer | undefined;
  const live = () => {
    timer = clock.after(intervalMs, () => {
      send(["WATCHDOG=1"]);
      live();
    });
  };
  send(["READY=1"]);
  if (intervalMs > 0) live();
  const timeoutUsec = Math.ceil((drainTimeoutMs + STOP_MARGIN_MS) * 1000);
  stop.then(() => send(["STOPPING=1", `EXTEND_TIMEOUT_USEC=${timeoutUsec}`]));
  return { [Symbol.dispose]: () => timer?.cancel() };
}

/** Within which time systemd wants to hear something; 0: it does not. */
function watchdogMs({ WATCHDOG_USEC, WATCHDOG_PID }: NodeJS.ProcessEnv, pid: number): number {
  const isForUs = !WATCHDOG_PID || WATCHDOG_PID === String(pid);
  return isForUs && /^[1-9]\d*$/.test(WATCHDOG_USEC ?? "") ? Number(WATCHDOG_USEC) / 1000 : 0;
}

/** Neither runtime can write to a datagram socket of Unix, which is what `NOTIFY_SOCKET` names. */
function systemdNotify(assignments: readonly string[]): void {
  const child = spawn("systemd-notify", assignments, { stdio: "ignore" });
  const failed = (why: string) => log.warn("systemd was not told", { what: assignments[0], why });
  child.on("error", ({ message }) => failed(message));
  child.on("exit", (code) => code === 0 || failed(`systemd-notify ended with ${code}`));
  child.unref();
}
