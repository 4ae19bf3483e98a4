import { systemClock } from "../../shared/clock.ts";
import type { CommandIo } from "../../shared/command_line/command.ts";
import { withStatusLine } from "../../shared/command_line/status_line.ts";
import type { WorkerSettings } from "../settings.ts";
import { Meter } from "./meter.ts";
import { WorkerStatus } from "./worker_status.ts";

/** Run a worker with a status line below what it prints, where there is a terminal for it and the settings want one. */
export function withStatus(
  { status: wanted, proxyUrls, maxConcurrency }: WorkerSettings,
  io: CommandIo,
  run: (io: CommandIo, status?: WorkerStatus) => Promise<number>,
): Promise<number> {
  if (!wanted || !io.statusColumns) return run(io);
  const status = new WorkerStatus({
    relayUrls: proxyUrls,
    maxConcurrency,
    meter: new Meter(),
    nowMs: () => systemClock.nowMs(),
  });
  return withStatusLine({ io, clock: systemClock, line: () => status.line() }, (above) => run(above, status));
}
