import type { CommandIo } from "../../shared/command_line/command.ts";
import { warningLine } from "../../shared/command_line/report.ts";
import { PortInUse } from "../../shared/runtime/ports.ts";
import type { HostPort } from "../../shared/settings/addresses.ts";
import { whenToldToStop } from "../../shared/stop_signal.ts";
import { workerSettings } from "../settings.ts";
import { work } from "../work.ts";
import { startDemoBackend } from "./backend.ts";
import { askOnce, curlLine } from "./first_request.ts";
import type { DemoSettings } from "./settings.ts";

/** Runs a relay at an address until `stop`. Given by `main.ts`, as a worker knows nothing of relays. */
export type RunRelay = (
  listen: HostPort,
  running: { stop: Promise<unknown>; listening(url: string): void },
) => Promise<unknown>;

const DEFAULT_LISTEN: HostPort = { host: "127.0.0.1", port: 8080 };

/** As many as a small model server takes at a time. */
const SLOTS = 4;

/**
 * `signalbox demo`: a relay, a worker and a backend that only pretends, in one process. Shows a request, then serves
 * until it is told to stop. Resolves with the exit code. @throws PortInUse when the address was asked for
 */
export async function demo(settings: DemoSettings, io: CommandIo, runRelay: RunRelay): Promise<number> {
  const stop = whenToldToStop().requested;
  const backend = await startDemoBackend();
  try {
    const relay = await openRelay(settings.listen, (listen) => started(runRelay, listen, stop));
    const worker = startWorker(settings, {
      stop,
      relayUrl: relay.url,
      backendUrl: `http://127.0.0.1:${backend.port}`,
    });
    await Promise.race([worker.registered, stop, worker.over]);
    const told = show(relay.url, io);
    await Promise.all([relay.over, worker.over, told]);
    return 0;
  } finally {
    await backend.stop(true);
  }
}

interface RunningRelay {
  url: string;
  over: Promise<unknown>;
}

/** Resolves when the relay listens. */
function started(run: RunRelay, listen: HostPort, stop: Promise<unknown>): Promise<RunningRelay> {
  return new Promise((resolve, reject) => {
    const over = run(listen, { stop, listening: (url) => resolve({ url, over }) });
    over.catch(reject);
  });
}

/** Who tries something has other programs running: a port of ours that is taken is no reason to give up. */
async function openRelay(
  listen: HostPort | undefined,
  open: (listen: HostPort) => Promise<RunningRelay>,
): Promise<RunningRelay> {
  try {
    return await open(listen ?? DEFAULT_LISTEN);
  } catch (error) {
    if (listen || !(error instanceof PortInUse)) throw error;
    return open({ ...DEFAULT_LISTEN, port: 0 });
  }
}

interface WorkerParts {
  stop: Promise<unknown>;
  relayUrl: string;
  backendUrl: string;
}

function startWorker({ drainTimeoutMs, logLevel, logFormat }: DemoSettings, parts: WorkerParts) {
  const { promise: registered, resolve } = Promise.withResolvers<void>();
  const settings = {
    ...workerSettings.parse({}),
    proxyUrls: [parts.relayUrl],
    backendUrl: parts.backendUrl,
    workerName: "demo",
    maxConcurrency: SLOTS,
    endpointPrefixes: ["/v1"],
    drainTimeoutMs,
    logLevel,
    logFormat,
  };
  return { registered, over: work(settings, { stop: parts.stop, registered: () => resolve() }) };
}

async function show(relayUrl: string, io: CommandIo): Promise<void> {
  io.out(
    `signalbox: listening on ${relayUrl}\n\n` +
      "A relay, a worker and a demo backend run in this process. Ask the backend something:\n\n" +
      `  ${curlLine(relayUrl)}\n\n` +
      "What it answers, through relay and worker:\n\n  ",
  );
  try {
    await askOnce(relayUrl, io.out);
    io.out("\n\nIt serves until you press Ctrl-C.\n");
  } catch (error) {
    io.out("\n");
    io.err(warningLine(`the first request failed: ${error instanceof Error ? error.message : error}`));
  }
}
