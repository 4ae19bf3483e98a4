import type { CommandIo } from "../../shared/command_line/command.ts";
import { warningLine } from "../../shared/command_line/report.ts";
import { PortInUse } from "../../shared/runtime/ports.ts";
import type { HostPort } from "../../shared/settings/addresses.ts";
import { whenToldToStop } from "../../shared/stop_signal.ts";
import { workerSettings } from "../settings.ts";
import { work } from "../work.ts";
import { startDemoBackend } from "./backend.ts";
import { askOnce, firstLine } from "./first_request.ts";
import { type DemoRelay, nextCommands } from "./next_commands.ts";
import type { DemoSettings } from "./settings.ts";

/** Runs a relay until `stop`. Given by `main.ts`, as a worker knows nothing of relays. */
export type RunRelay = (
  settings: { listen: HostPort; adminToken: string },
  running: { stop: Promise<unknown>; listening(url: string): void },
) => Promise<unknown>;

const DEFAULT_LISTEN: HostPort = { host: "127.0.0.1", port: 8080 };

/** As many as a small model server takes at a time. */
const SLOTS = 4;

/** Two providers, so that there is something to choose. */
const WORKERS = [
  { workerName: "desk", provider: "home" },
  { workerName: "rack", provider: "lab" },
] as const;

/**
 * `signalbox demo`: a relay, and two workers with backends that only pretend, in one process. Shows a request, then
 * serves until it is told to stop. Resolves with the exit code. @throws PortInUse when the address was asked for
 */
export async function demo(settings: DemoSettings, io: CommandIo, runRelay: RunRelay): Promise<number> {
  const stop = whenToldToStop().requested;
  // Who may ask where requests go: nobody else on this machine needs to.
  const adminToken = crypto.randomUUID().slice(0, 8);
  const relay = await openRelay(settings.listen, (listen) => started(runRelay, { listen, adminToken }, stop));
  const workers = await Promise.all(
    WORKERS.map((names) => startWorker(settings, { stop, relayUrl: relay.url, ...names })),
  );
  const over = Promise.all([relay.over, ...workers.map((worker) => worker.over)]);
  await Promise.race([Promise.all(workers.map((worker) => worker.registered)), stop, over]);
  await Promise.all([over, show({ url: relay.url, adminToken, provider: WORKERS[1].provider }, io)]);
  return 0;
}

interface RunningRelay {
  url: string;
  over: Promise<unknown>;
}

/** Resolves when the relay listens. */
function started(
  run: RunRelay,
  settings: Parameters<RunRelay>[0],
  stop: Promise<unknown>,
): Promise<RunningRelay> {
  return new Promise((resolve, reject) => {
    const over = run(settings, { stop, listening: (url) => resolve({ url, over }) });
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
  workerName: string;
  provider: string;
}

/** A worker with a backend of its own, which ends with it. */
async function startWorker({ drainTimeoutMs, logLevel, logFormat }: DemoSettings, parts: WorkerParts) {
  const { stop, relayUrl, workerName, provider } = parts;
  const backend = await startDemoBackend(`the worker ${workerName} of the provider ${provider}`);
  const { promise: registered, resolve } = Promise.withResolvers<void>();
  const settings = {
    ...workerSettings.parse({}),
    proxyUrls: [relayUrl],
    backendUrl: `http://127.0.0.1:${backend.port}`,
    workerName,
    provider,
    maxConcurrency: SLOTS,
    endpointPrefixes: ["/v1", "/api"],
    drainTimeoutMs,
    logLevel,
    logFormat,
  };
  const over = work(settings, { stop, registered: () => resolve() }).finally(() => backend.stop(true));
  return { registered, over };
}

async function show(relay: DemoRelay, io: CommandIo): Promise<void> {
  const workers = WORKERS.map(({ workerName, provider }) => `${workerName} of the provider ${provider}`);
  io.out(
    `signalbox: listening on ${relay.url}\n\n` +
      `A relay and two workers run in this process: ${workers.join(", ")}.\n` +
      "Behind each is a backend that only pretends to be a model. Ask for an answer:\n\n" +
      `  ${firstLine(relay.url)}\n\n` +
      "What comes back:\n\n  ",
  );
  try {
    await askOnce(relay.url, io.out);
    const next = nextCommands(relay).map(({ says, command }) => `\n  # ${says}\n  ${command}\n`);
    io.out(`\n\nNext, in a second terminal, in the same folder:\n${next.join("")}`);
    io.out("\nIt serves until you press Ctrl-C.\n");
  } catch (error) {
    io.out("\n");
    io.err(warningLine(`the first request failed: ${error instanceof Error ? error.message : error}`));
  }
}
