import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { type Finding, ok, problem, warning } from "./findings.ts";

/**
 * Whether this process may have as many sockets open as it will want. `wanted`: how many, in all. `each`: what takes
 * one, for the message.
 */
export function openFilesFinding(wanted: number, each: string, limit = openFilesLimit()): Finding {
  if (limit === undefined) return warning("open files", "the limit is not known here", "ulimit -n tells it");
  if (limit >= wanted) return ok("open files", `${limit} at a time`);
  return warning(
    "open files",
    `${limit} at a time, and ${each} takes one: at least ${wanted} are better`,
    `ulimit -n ${Math.max(wanted, 65_536)} before the start, or LimitNOFILE= in a systemd unit`,
  );
}

/** How many files and sockets this process may have open; undefined: not known. `Infinity`: any number. */
function openFilesLimit(): number | undefined {
  const text = linuxLimit() ?? spawnSync("sh", ["-c", "ulimit -n"], { encoding: "utf8" }).stdout;
  const [word = ""] = /\d+|unlimited/.exec(text ?? "") ?? [];
  if (word === "unlimited") return Number.POSITIVE_INFINITY;
  return word === "" ? undefined : Number(word);
}

/** The runtime may have raised its own limit, which a shell beside it does not know. */
function linuxLimit(): string | undefined {
  try {
    return /^Max open files\s+(\S+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
  } catch {
    return undefined;
  }
}

/** No version of this program is older. */
const EARLIEST_MS = Date.UTC(2026, 0, 1);

/** Whether the clock can be right at all: a board without a battery starts in 1970. */
export function clockFinding(nowMs: number): Finding {
  const now = new Date(nowMs).toISOString().replace(/\.\d+Z$/, "Z");
  if (nowMs >= EARLIEST_MS) return ok("clock", now);
  return problem(
    "clock",
    `${now} is long ago: certificates and signatures will be refused`,
    "set the clock, best by NTP",
  );
}

/** Signatures are good for some minutes, and people compare two logs by their times. */
const DRIFT_MAX_MS = 30_000;

/**
 * This clock beside another one, told by an HTTP `Date` header that was asked for at `askedMs` and came at `nowMs`.
 * A header tells whole seconds, and was written at some time in between.
 */
export function driftFinding(date: string, { askedMs, nowMs }: { askedMs: number; nowMs: number }): Finding {
  const thereMs = Date.parse(date);
  if (Number.isNaN(thereMs)) return warning("clock", `the relay tells no time: ${date}`);
  const [leastMs, mostMs] = [askedMs - thereMs - 1000, nowMs - thereMs];
  const aheadMs = leastMs > 0 ? leastMs : Math.min(0, mostMs);
  if (Math.abs(aheadMs) <= DRIFT_MAX_MS) return ok("clock", "agrees with the relay's");
  const seconds = Math.round(Math.abs(aheadMs) / 1000);
  return warning(
    "clock",
    `${seconds} s ${aheadMs > 0 ? "ahead of" : "behind"} the relay's`,
    "set both clocks by NTP: timedatectl set-ntp true",
  );
}
