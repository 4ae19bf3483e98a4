import { systemClock } from "../shared/clock.ts";
import { runtime } from "../shared/runtime/current.ts";
import { Sweeper } from "../shared/sweeper.ts";
import { version } from "../shared/version.ts";
import { AdminDoor } from "./admin/admin_door.ts";
import { AdminToken } from "./admin/admin_token.ts";
import { RequestTally } from "./admin/request_tally.ts";
import { Sessions } from "./admin/sessions.ts";
import { makeApp } from "./app.ts";
import { Cors } from "./cors.ts";
import { Dashboard } from "./dashboard/dashboard.ts";
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
import { overrideParts } from "./override/override_parts.ts";
import type { RelayParts } from "./relay/parts.ts";
import { Relay } from "./relay/relay.ts";
import type { ServeSettings } from "./settings.ts";
import { trustedProxies } from "./trusted_proxies.ts";
import { WaitingLine } from "./waiting_line.ts";

const clock = systemClock;

/** The parts of a relay, each from those above it. */
export function compose(settings: ServeSettings) {
  const adminToken = new AdminToken(settings.adminToken);
  const isTrustedProxy = trustedProxies(settings.trustedProxies);
  const adminDoor = makeAdminDoor(adminToken, isTrustedProxy);
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
  const ports = new Set<number>();
  const override = settings.override && overrideParts(settings.override, { clock, clientDoor, ports });
  const tally = new RequestTally();
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
    authenticate: authenticator(clientDoor, adminToken),
    override,
    tally,
    isTrustedProxy,
  });
  const hub = makeHub(settings, fleet);
  const app = makeApp({
    relay,
    dashboard: new Dashboard({ isOn: settings.dashboard, door: adminDoor, clock }),
    fleet,
    line,
    version,
    settings: { ...settings, liveOverride: override?.live },
    overrides: () => override?.tally.report(),
    requests: () => tally.report(),
    isAdmin: (headers) => adminDoor.isShown(headers),
    timeMs: Date.now,
  });
  const front = new Front({
    hub,
    app,
    cors: new Cors(settings.corsOrigins),
    hasDashboard: settings.dashboard && adminToken.isSet,
    admit: (method, context, credential) => {
      if (credential === "admin") adminDoor.require(method, context);
      if (credential === "client") clientDoor.authenticate(context.fields);
    },
  });
  return { front, hub, line, ports, override };
}

function makeAdminDoor(token: AdminToken, isTrustedProxy: (peer: string) => boolean): AdminDoor {
  return new AdminDoor({
    token,
    sessions: new Sessions(clock),
    limiter: new AuthLimiter(clock),
    isTrustedProxy,
  });
}

/** Who may send requests, and what of their headers stays here. */
function authenticator(clientDoor: ClientDoor, adminToken: AdminToken): RelayParts["authenticate"] {
  return (headers) => {
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
  };
}

function makeHub(settings: ServeSettings, fleet: Fleet<WorkerLink>): Hub {
  return new Hub({
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
}

/** Whether clients must show a key: on request, and by default when there are keys to show. */
export function wantsKeys({ requireApiKeys, apiKeysFile }: ServeSettings): boolean {
  return requireApiKeys ?? apiKeysFile !== undefined;
}
