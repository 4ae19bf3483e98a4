import { systemClock } from "../shared/clock.ts";
import type { CommandIo } from "../shared/command_line/command.ts";
import { runtime } from "../shared/runtime/current.ts";
import { tellServiceManager } from "../shared/service/service_manager.ts";
import { whenToldToStop } from "../shared/stop_signal.ts";
import { chooseBackend } from "./local_backends/choose.ts";
import { USUAL_PORTS } from "./local_backends/usual_ports.ts";
import type { WorkerSettings } from "./settings.ts";
import { work } from "./work.ts";

/**
 * `signalbox worker`: serves the backend that the settings name, or else the one on this machine, until it is told to
 * stop. Resolves with the exit code. @throws CommandError when there are several and nobody to choose
 */
export async function worker(settings: WorkerSettings, io: CommandIo): Promise<number> {
  const stop = whenToldToStop().requested;
  // Before a backend is found and a relay reached: both may take their time, and systemd would take that for a failure.
  using _told = tellServiceManager({ stop, drainTimeoutMs: settings.drainTimeoutMs });
  const backendUrl =
    settings.backendUrl ??
    (await chooseBackend({ ports: USUAL_PORTS, clock: systemClock, runtime, io, stop }));
  return backendUrl === undefined ? 0 : await work({ ...settings, backendUrl }, { stop });
}
