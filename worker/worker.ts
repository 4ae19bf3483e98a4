import { systemClock } from "../shared/clock.ts";
import type { CommandIo } from "../shared/command_line/command.ts";
import { readText } from "../shared/command_line/read_text.ts";
import { runtime } from "../shared/runtime/current.ts";
import { tellServiceManager } from "../shared/service/service_manager.ts";
import { whenToldToStop } from "../shared/stop_signal.ts";
import { chooseBackend } from "./local_backends/choose.ts";
import { USUAL_PORTS } from "./local_backends/usual_ports.ts";
import type { WorkerSettings } from "./settings.ts";
import { greeting } from "./status/greeting.ts";
import type { WorkerStatus } from "./status/worker_status.ts";
import { type WorkOptions, type WorkSettings, work } from "./work.ts";

/**
 * `signalbox worker`: serves the backend that the settings name, or else the one on this machine, until it is told to
 * stop. Resolves with the exit code. @throws CommandError when there are several and nobody to choose
 */
export async function worker(
  settings: WorkerSettings,
  io: CommandIo,
  status?: WorkerStatus,
): Promise<number> {
  // A file that is not there is told at once, not when a backend was found.
  for (const path of [settings.caFile, settings.backendCaFile]) if (path) readText(path);
  const stop = whenToldToStop().requested;
  // Before a backend is found and a relay reached: both may take their time, and systemd would take that for a failure.
  using _told = tellServiceManager({ stop, drainTimeoutMs: settings.drainTimeoutMs });
  const backendUrl =
    settings.backendUrl ??
    (await chooseBackend({ ports: USUAL_PORTS, clock: systemClock, runtime, io, stop }));
  if (backendUrl === undefined) return 0;
  const found = { ...settings, backendUrl };
  return await work(found, { stop, ...told(found, io, status) });
}

/** What the person in front of it is told, beside the log: how it starts, and on a terminal how it is. */
function told(settings: WorkSettings, io: CommandIo, status?: WorkerStatus): WorkOptions {
  const reached = new Set<string>();
  return {
    ...(status && { meter: status.meter }),
    ready(models) {
      io.out(greeting(settings, models));
      status?.found();
    },
    backend: (isReachable) => status?.backend(isReachable),
    apart: (relayUrl, delayMs) => status?.apart(relayUrl, delayMs),
    registered(relayUrl) {
      status?.registered(relayUrl);
      if (!reached.has(relayUrl)) io.out(`signalbox: connected to ${relayUrl}\n`);
      reached.add(relayUrl);
    },
  };
}
