import { fullJitter } from "../shared/backoff.ts";
import { systemClock } from "../shared/clock.ts";
import { readText } from "../shared/command_line/read_text.ts";
import { Http1Client } from "../shared/http1/client.ts";
import { originOf } from "../shared/http1/origin.ts";
import { log } from "../shared/log.ts";
import { runtime } from "../shared/runtime/current.ts";
import { DialError } from "../shared/runtime/ports.ts";
import { whenToldToStop } from "../shared/stop_signal.ts";
import { within } from "../shared/within.ts";
import { Capacity } from "./capacity.ts";
import { askBackend } from "./catalog.ts";
import type { Backend } from "./forward.ts";
import type { Registration } from "./handshake.ts";
import { declaredLabels } from "./labels.ts";
import { ServedModels } from "./models.ts";
import { Session, type SessionEnd } from "./session.ts";
import type { WorkerSettings } from "./settings.ts";
import type { Meter } from "./status/meter.ts";
import { Tether } from "./tether.ts";

/** Delays between attempts to reach a relay: at once for a hiccup, not more often than every 15 s on average for a
 * relay that is down for long. */
const RECONNECT = { baseMs: 500, capMs: 30_000 };

/** A ModelRelay server may have sent a request before it read that no models are left; it arrives by then. */
const PLAIN_DRAIN_GRACE_MS = 250;

/** Answers leave by themselves; looking at them now and then is enough for a process that leaves. */
const DRAIN_POLL_MS = 50;

/** How long a closing handshake may take before the process ends without it. */
const CLOSE_GRACE_MS = 500;

/** Of RFC 6455, 7.4.1: what a relay closes with that takes no worker with this secret. */
const POLICY_VIOLATION = 1008;

/**
 * A read takes all that the kernel has, and what of it the client of the relay takes no more of waits here: with half
 * a megabyte each, 500 clients that stall fill the memory. Enough for 128 MB/s from a machine a millisecond away.
 */
const UNREAD_BYTES = 128 * 1024;

const clock = systemClock;
const delay = (ms: number) => new Promise<void>((resolve) => clock.after(ms, resolve));

/** With a backend, named or found. */
export type WorkSettings = WorkerSettings & { backendUrl: string };

/** For who runs a worker as a part of something larger. */
export interface WorkOptions {
  /** Resolves when it is time to stop. By default SIGTERM and SIGINT say so. */
  stop?: Promise<unknown>;
  /** Told each time that a relay has taken the worker in. */
  registered?(relayUrl: string): void;
  /** Told each time that a relay was lost or not reached, with the delay to the next try. */
  apart?(relayUrl: string, delayMs: number): void;
  /** Told the first models, before a relay is dialled. */
  ready?(models: readonly string[]): void;
  /** Told when the backend is away and when it is there again. */
  backend?(isReachable: boolean): void;
  /** Counts what the backend does. */
  meter?: Meter;
}

/** `signalbox worker`: serves the backend to every relay until it is told to stop. Resolves with the exit code. */
export async function work(settings: WorkSettings, options: WorkOptions = {}): Promise<number> {
  const stop = options.stop ?? whenToldToStop().requested;
  const backend = makeBackend(settings, options.meter);
  const caPem = settings.caFile ? [readText(settings.caFile)] : undefined;
  const tethers: Tether[] = [];
  const models = new ServedModels({
    configured: settings.models,
    clock,
    ask: () => askBackend(backend.client, backend.origin, backend.basePath),
    changed: (current) => {
      for (const tether of tethers) tether.session?.updateModels(current);
    },
    reachable: (isReachable) => {
      reportBackend(settings.backendUrl, isReachable);
      options.backend?.(isReachable);
    },
  });
  if (settings.endpointPrefixes.length === 0) warnOfManagement();
  await models.refresh();
  options.ready?.(models.current);
  const shares = backend.capacity.shares(settings.proxyUrls.length);
  const session = crypto.randomUUID();
  const labels = declaredLabels(settings);
  warnOfUnserved(Object.keys(labels.models ?? {}), models.current);
  for (const [at, relayUrl] of settings.proxyUrls.entries()) {
    const registration = (): Registration => ({
      workerName: settings.workerName,
      models: models.current,
      maxConcurrency: shares[at]!,
      endpointPrefixes: settings.endpointPrefixes,
      session,
      currentLoad: backend.capacity.inFlight,
      labels,
      plain: settings.linkForm === "plain",
    });
    tethers.push(makeTether({ settings, caPem, relayUrl, backend, registration, models, options }));
  }
  const held = Promise.race(tethers.map((tether) => tether.hold()));
  await Promise.race([stop, held]);
  await drain(tethers, backend, settings.drainTimeoutMs);
  models.stop();
  backend.client.close();
  return 0;
}

function makeBackend(settings: WorkSettings, meter?: Meter): Backend {
  const url = new URL(settings.backendUrl);
  const caPem = settings.backendCaFile ? [readText(settings.backendCaFile)] : undefined;
  // One with TLS may be far away, where more has to be on its way.
  const isNear = url.protocol === "http:";
  return {
    origin: originOf(url, caPem),
    basePath: url.pathname.replace(/\/+$/, ""),
    client: new Http1Client({
      runtime,
      clock,
      connectTimeoutMs: settings.backendConnectTimeoutMs,
      firstByteTimeoutMs: unlimitedAsZero(settings.backendFirstByteTimeoutMs),
      idleBodyTimeoutMs: unlimitedAsZero(settings.backendIdleTimeoutMs),
      ...(isNear && { unreadBytes: UNREAD_BYTES }),
    }),
    prefixes: settings.endpointPrefixes,
    capacity: new Capacity(settings.maxConcurrency),
    ...(meter && { meter }),
  };
}

const unlimitedAsZero = (ms: number) => (Number.isFinite(ms) ? ms : 0);

interface TetherParts {
  settings: WorkSettings;
  caPem: string[] | undefined;
  relayUrl: string;
  backend: Backend;
  registration(): Registration;
  models: ServedModels;
  options: WorkOptions;
}

function makeTether(parts: TetherParts): Tether {
  const { settings, caPem, relayUrl, backend, registration, models, options } = parts;
  const tether: Tether = new Tether({
    clock,
    backoff: fullJitter(RECONNECT),
    apart: (why, delayMs) => {
      reportApart(relayUrl, why, delayMs);
      options.apart?.(relayUrl, delayMs);
    },
    open: () =>
      Session.open({
        relayUrl,
        provider: settings.provider,
        ...(settings.workerSecret !== undefined && { secret: settings.workerSecret }),
        ...(caPem && { caPem }),
        connectTimeoutMs: settings.backendConnectTimeoutMs,
        runtime,
        clock,
        backend,
        registration,
        events: {
          registered: (ack, form) => {
            const { worker_id, models: served, warnings } = ack;
            log.info("Registered", { relay: relayUrl, worker: worker_id, form, models: served });
            for (const warning of warnings ?? []) log.warn("The relay warns", { relay: relayUrl, warning });
            options.registered?.(relayUrl);
          },
          refreshModels: async () => {
            await models.refresh();
            tether.session?.updateModels(models.current);
          },
          relayDrains: () => log.info("The relay is leaving", { relay: relayUrl }),
        },
      }),
  });
  return tether;
}

/** Take nothing new, finish what runs up to the deadline, say goodbye. A second signal ends the process at once. */
async function drain(tethers: readonly Tether[], backend: Backend, drainTimeoutMs: number): Promise<void> {
  const sessions = tethers.flatMap((tether) => tether.session ?? []);
  log.info("Draining", { running: backend.capacity.inFlight });
  for (const tether of tethers) tether.release();
  for (const session of sessions) session.drain(drainTimeoutMs);
  if (sessions.some((session) => session.form === "plain")) await delay(PLAIN_DRAIN_GRACE_MS);
  await within(clock, drainTimeoutMs, allAnswered(sessions, backend));
  for (const session of sessions) session.close(1000, "worker stops");
  await within(clock, CLOSE_GRACE_MS, Promise.all(sessions.map((session) => session.ended)));
  for (const session of sessions) session.terminate();
  log.info("Stopped", { abandoned: backend.capacity.inFlight });
}

/** Nothing runs, and the ends of answers that clients are slow to take have left too. */
async function allAnswered(sessions: readonly Session[], backend: Backend): Promise<void> {
  await backend.capacity.whenIdle();
  while (sessions.some((session) => session.open > 0)) await delay(DRAIN_POLL_MS);
}

function reportApart(relay: string, why: DialError | SessionEnd, delayMs: number): void {
  const retryMs = Math.round(delayMs);
  if (isRefusedSecret(why)) {
    log.error("The relay refuses the worker secret", { relay, retry_ms: retryMs });
  } else if (!(why instanceof DialError)) {
    log.warn("The link ended", { relay, code: why.code, reason: why.reason, retry_ms: retryMs });
  } else {
    log.warn("The relay cannot be reached", { relay, why: why.message, retry_ms: retryMs });
  }
}

/** Before the upgrade, or, to who offers no framed form, by a close right after it: ModelRelay's manner. */
function isRefusedSecret(why: DialError | SessionEnd): boolean {
  if (why instanceof DialError) return why.status === 401;
  return why.code === POLICY_VIOLATION && why.healthyMs === 0 && /authentication failed/.test(why.reason);
}

function reportBackend(backend: string, isReachable: boolean): void {
  if (isReachable) log.info("The backend answers", { backend });
  else log.warn("The backend cannot be reached: its models are not offered until it answers", { backend });
}

/** A misspelt name would leave the model that was meant with the labels for all. */
function warnOfUnserved(labelled: readonly string[], served: readonly string[]): void {
  if (served.length === 0 || served.includes("*")) return;
  for (const model of labelled) {
    if (!served.includes(model)) log.warn("Labels are declared for a model that is not served", { model });
  }
}

/** Ollama deletes models, llama.cpp shows slots: whoever may call the relay may call that too. */
function warnOfManagement(): void {
  log.warn("Every path of the backend is offered, management ones too: --endpoint-prefixes /v1 narrows it");
}
