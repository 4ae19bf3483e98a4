import { systemClock } from "../shared/clock.ts";
import type { CommandIo } from "../shared/command_line/command.ts";
import { readTls } from "../shared/command_line/read_tls.ts";
import { warningLine } from "../shared/command_line/report.ts";
import { MAX_SOCKET_MESSAGE_BYTES } from "../shared/link/plain_limits.ts";
import { log } from "../shared/log.ts";
import { runtime } from "../shared/runtime/current.ts";
import type { Listener } from "../shared/runtime/ports.ts";
import { isLoopback } from "../shared/settings/addresses.ts";
import { whenToldToStop } from "../shared/stop_signal.ts";
import { Sweeper } from "../shared/sweeper.ts";
import { version } from "../shared/version.ts";
import { within } from "../shared/within.ts";
import { AdminToken } from "./admin/admin_token.ts";
import { makeApp } from "./app.ts";
import { Cors } from "./cors.ts";
import { Fleet } from "./fleet.ts";
import { Front } from "./front.ts";
import { connectionLog } from "./hub/connection_log.ts";
import { Hub } from "./hub/hub.ts";
import type { WorkerLink } from "./hub/worker_connection.ts";
import { WorkerDoor } from "./hub/worker_door.ts";
import { AuthLimiter } from "./keys/auth_limiter.ts";
import { asksToExplain, ClientDoor, requireExplain, requireScope } from "./keys/client_door.ts";
import { watchKeys } from "./keys/watched_keys.ts";
import { WorkerSecrets } from "./keys/worker_secrets.ts";
import { Relay } from "./relay/relay.ts";
import type { ServeSettings } from "./settings.ts";
import { trustedProxies } from "./trusted_proxies.ts";
import { WaitingLine } from "./waiting_line.ts";
import { watchTls } from "./watch_tls.ts";

const clock = systemClock;

/** None: the relay counts for itself, as a runtime's own refusal has no code, no request id and no log line. */
const RUNTIME_BODY_LIMIT_BYTES = Number.MAX_SAFE_INTEGER;

/** For who runs a relay as a part of something larger. */
export interface ServeOptions {
  /** Resolves when it is time to stop. By default SIGTERM and SIGINT say so. */
  stop?: Promise<unknown>;
  /** Told the address once clients and workers may connect. By default it is printed. */
  listening?(url: string): void;
}

/** `signalbox serve`: relays until it is told to stop. Resolves with the exit code. @throws PortInUse */
export async function serve(
  settings: ServeSettings,
  io: CommandIo,
  options: ServeOptions = {},
): Promise<number> {
  const stop = options.stop ?? whenToldToStop().requested;
  const { front, hub, line } = compose(settings);
  const pair = tlsPair(settings);
  const tls = pair && readTls(pair.certPath, pair.keyPath);
  const listener = await runtime.listen({
    hostname: settings.listen.host,
    port: settings.listen.port,
    ...(tls && { tls }),
    maxRequestBodyBytes: RUNTIME_BODY_LIMIT_BYTES,
    maxMessageBytes: MAX_SOCKET_MESSAGE_BYTES,
    handle: (request, context) => front.handle(request, context),
  });
  const unwatchTls = pair && watchTls(pair, clock, (renewed) => listener.reloadTls(renewed));
  const url = urlOf(settings, listener);
  if (options.listening) options.listening(url);
  else greet(settings, url, io);
  await stop;
  await shutDown({ settings, hub, line, listener });
  unwatchTls?.();
  return 0;
}

/** The parts of a relay, each from those above it. */
function compose(settings: ServeSettings) {
  const adminToken = new AdminToken(settings.adminToken);
  const clientDoor = new ClientDoor({
    required: wantsKeys(settings),
    keys: settings.apiKeysFile ? watchKeys(settings.apiKeysFile, clock) : () => new Map(),
  });
  const fleet = new Fleet<WorkerLink>({ clock, absentGraceMs: settings.absentGraceMs });
  const line = new WaitingLine({
    clock,
    fleet,
    limits: { countMax: settings.maxQueueLen, bytesMax: settings.maxQueueBytes },
  });
  const relay = new Relay({
    settings: {
      ...settings,
      resendPaths: new Set(settings.resendPaths),
      fallbackOn: new Set(settings.fallbackOn),
    },
    line,
    fleet,
    clock,
    sweeper: new Sweeper(clock),
    runtime,
    authenticate: (headers) => {
      const admitted = clientDoor.authenticate(headers);
      requireScope(admitted, "inference");
      const { key, credentialHeaders } = admitted;
      const isAdmin = adminToken.isShown(headers);
      return {
        name: key?.name,
        // The token opens the relay itself: no worker is to see it.
        consumed: isAdmin ? [...credentialHeaders, "authorization"] : credentialHeaders,
        mayExplain: asksToExplain(headers) && (isAdmin || requireExplain(admitted)),
      };
    },
    isTrustedProxy: trustedProxies(settings.trustedProxies),
  });
  const hub = new Hub({
    fleet,
    door: new WorkerDoor({
      secrets: new WorkerSecrets(settings.workerSecrets),
      limiter: new AuthLimiter(clock),
      clock,
      defaultProvider: settings.provider,
      handshakesPerSecond: settings.maxWorkerHandshakes,
    }),
    clock,
    randomId: () => crypto.randomUUID(),
    events: connectionLog,
  });
  const app = makeApp({
    relay,
    fleet,
    line,
    version,
    settings,
    isAdmin: (headers) => adminToken.isShown(headers),
    timeMs: Date.now,
  });
  const front = new Front({
    hub,
    app,
    cors: new Cors(settings.corsOrigins),
    admit: (headers, credential) => {
      if (credential === "admin") adminToken.require(headers);
      if (credential === "client") clientDoor.authenticate(headers);
    },
  });
  return { front, hub, line };
}

interface Running {
  settings: ServeSettings;
  hub: Hub;
  line: WaitingLine<WorkerLink>;
  listener: Listener;
}

/** Nothing new comes in, who waits is told so, what runs may finish. A second signal ends the process at once. */
async function shutDown({ settings, hub, line, listener }: Running): Promise<void> {
  log.info("Draining");
  line.close("shutting_down");
  const stopped = listener.stop();
  await hub.drain(settings.drainTimeoutMs);
  await within(clock, LAST_BYTES_MS, stopped);
  await listener.stop(true);
  log.info("Stopped");
}

/** What the clients' sockets have to take the last bytes of answers that are complete. */
const LAST_BYTES_MS = 500;

/** Whether clients must show a key: on request, and by default when there are keys to show. */
function wantsKeys({ requireApiKeys, apiKeysFile }: ServeSettings): boolean {
  return requireApiKeys ?? apiKeysFile !== undefined;
}

/** The settings know that there is none without the other. */
function tlsPair({ tlsCert, tlsKey }: ServeSettings): { certPath: string; keyPath: string } | undefined {
  return tlsCert && tlsKey ? { certPath: tlsCert, keyPath: tlsKey } : undefined;
}

function urlOf({ tlsCert }: ServeSettings, { hostname, port }: Listener): string {
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  return `${tlsCert ? "https" : "http"}://${host}:${port}`;
}

function greet(settings: ServeSettings, url: string, io: CommandIo): void {
  io.out(`signalbox: listening on ${url}\n`);
  if (!wantsKeys(settings) && !isLoopback(settings.listen.host)) {
    io.err(
      warningLine(
        "anyone who reaches this address may use the workers: give --api-keys-file to ask for keys",
      ),
    );
  }
}
