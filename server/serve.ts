import { systemClock } from "../shared/clock.ts";
import type { CommandIo } from "../shared/command_line/command.ts";
import { readTls } from "../shared/command_line/read_tls.ts";
import { warningLine } from "../shared/command_line/report.ts";
import { MAX_SOCKET_MESSAGE_BYTES } from "../shared/link/plain_limits.ts";
import { log } from "../shared/log.ts";
import { runtime } from "../shared/runtime/current.ts";
import type { Listener, ListenOptions } from "../shared/runtime/ports.ts";
import { tellServiceManager } from "../shared/service/service_manager.ts";
import { isLoopback } from "../shared/settings/addresses.ts";
import { whenToldToStop } from "../shared/stop_signal.ts";
import { within } from "../shared/within.ts";
import { compose, wantsKeys } from "./compose.ts";
import type { Front } from "./front.ts";
import { greeting } from "./greeting.ts";
import type { ServeSettings } from "./settings.ts";
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
  const relay = compose(settings);
  const { front } = relay;
  const pair = tlsPair(settings);
  const tls = pair && readTls(pair.certPath, pair.keyPath);
  const shared = { maxRequestBodyBytes: RUNTIME_BODY_LIMIT_BYTES, maxMessageBytes: MAX_SOCKET_MESSAGE_BYTES };
  const listener = await runtime.listen({
    ...shared,
    hostname: settings.listen.host,
    port: settings.listen.port,
    ...(tls && { tls }),
    handle: (request, context) => front.handle(request, context),
  });
  const forOverrides = await listenForOverrides(settings, shared, front);
  const listeners = [listener, ...(forOverrides ? [forOverrides] : [])];
  for (const { port } of listeners) relay.ports.add(port);
  const unwatchTls = pair && watchTls(pair, clock, (renewed) => listener.reloadTls(renewed));
  const url = urlOf(settings, listener);
  if (options.listening) options.listening(url);
  else greet(settings, url, io);
  using _told = tellServiceManager({ stop, drainTimeoutMs: settings.drainTimeoutMs });
  await stop;
  await shutDown({ ...relay, settings, listeners });
  unwatchTls?.();
  return 0;
}

/** Where only upstreams come that may name an endpoint, when there is such a place. */
async function listenForOverrides(
  { override }: ServeSettings,
  shared: Pick<ListenOptions, "maxRequestBodyBytes" | "maxMessageBytes">,
  front: Front,
): Promise<Listener | undefined> {
  const where = override?.listen;
  if (!where) return undefined;
  const listener = await runtime.listen({
    ...shared,
    ...("unix" in where
      ? { unix: where.unix, hostname: "", port: 0 }
      : { hostname: where.host, port: where.port }),
    handle: (request, context) => {
      context.forOverrides = true;
      return front.handle(request, context);
    },
  });
  const address = "unix" in where ? where.unix : `${where.host}:${listener.port}`;
  log.info("Listening for overrides", { address });
  return listener;
}

interface Running extends Pick<ReturnType<typeof compose>, "hub" | "line" | "override"> {
  settings: ServeSettings;
  listeners: readonly Listener[];
}

/** Nothing new comes in, who waits is told so, what runs may finish. A second signal ends the process at once. */
async function shutDown({ settings, hub, line, override, listeners }: Running): Promise<void> {
  log.info("Draining");
  line.close("shutting_down");
  const stopped = Promise.all(listeners.map((listener) => listener.stop()));
  const idle = override ? untilIdle(override.tally, settings.drainTimeoutMs) : undefined;
  await Promise.all([hub.drain(settings.drainTimeoutMs), idle]);
  override?.close();
  await within(clock, LAST_BYTES_MS, stopped);
  await Promise.all(listeners.map((listener) => listener.stop(true)));
  log.info("Stopped");
}

/** Requests that providers have end by themselves; looking now and then is enough for a process that leaves. */
async function untilIdle(tally: { readonly underWay: number }, timeoutMs: number): Promise<void> {
  const deadlineMs = clock.nowMs() + timeoutMs;
  while (tally.underWay > 0 && clock.nowMs() < deadlineMs) {
    await new Promise<void>((resolve) => clock.after(DRAIN_POLL_MS, resolve));
  }
}

const DRAIN_POLL_MS = 50;

/** What the clients' sockets have to take the last bytes of answers that are complete. */
const LAST_BYTES_MS = 500;

/** The settings know that there is none without the other. */
function tlsPair({ tlsCert, tlsKey }: ServeSettings): { certPath: string; keyPath: string } | undefined {
  return tlsCert && tlsKey ? { certPath: tlsCert, keyPath: tlsKey } : undefined;
}

function urlOf({ tlsCert }: ServeSettings, { hostname, port }: Listener): string {
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  return `${tlsCert ? "https" : "http"}://${host}:${port}`;
}

function greet(settings: ServeSettings, url: string, io: CommandIo): void {
  io.out(greeting(settings, url));
  if (!wantsKeys(settings) && !isLoopback(settings.listen.host)) {
    io.err(
      warningLine(
        "anyone who reaches this address may use the workers: give --api-keys-file to ask for keys",
      ),
    );
  }
}
