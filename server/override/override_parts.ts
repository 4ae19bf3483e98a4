import { readFileSync } from "node:fs";
import type { Clock } from "../../shared/clock.ts";
import type { FieldReader } from "../../shared/received_fields.ts";
import { runtime } from "../../shared/runtime/current.ts";
import type { ClientDoor } from "../keys/client_door.ts";
import { ProviderDialer } from "../provider.ts";
import type { OverrideParts } from "../relay/parts.ts";
import type { LiveOverride } from "../route_test/dry_override.ts";
import { OverrideDoor } from "./door.ts";
import type { OverrideSettings } from "./override_settings.ts";
import { watchSecret } from "./secret_source.ts";
import { OverrideTally } from "./tally.ts";
import { OverrideTrust } from "./trust.ts";

/** The relay watches the time: the client's own limits, which hold for workers too, are the ones that count. */
const NO_LIMIT_MS = 0;

export interface OverrideWiring {
  readonly clock: Clock;
  readonly clientDoor: ClientDoor;
  /** The ports that the relay listens on. */
  readonly ports: ReadonlySet<number>;
}

/** For requests, and for questions about them. */
interface WiredOverride extends OverrideParts {
  readonly live: LiveOverride;
}

/** What the `[override]` table makes of a relay. @throws Error when a secret cannot be read */
export function overrideParts(settings: OverrideSettings, wiring: OverrideWiring): WiredOverride {
  const { clock, clientDoor, ports } = wiring;
  const secrets = new Map(
    settings.endpoints.flatMap(({ name, secret }) => (secret ? [[name, watchSecret(secret, clock)]] : [])),
  );
  const dialer = new ProviderDialer({
    runtime,
    clock,
    resolver: settings.resolver,
    caPem: settings.caFile === undefined ? undefined : [readFileSync(settings.caFile, "utf8")],
    firstByteTimeoutMs: NO_LIMIT_MS,
    idleBodyTimeoutMs: NO_LIMIT_MS,
    listeningPorts: () => ports,
  });
  const trust = new OverrideTrust({
    signingKeys: settings.keys.map(({ id, secret, endpoints }) => ({
      id,
      secret: watchSecret(secret, clock),
      endpoints,
    })),
    require: settings.require,
    nowS: () => Math.floor(Date.now() / 1000),
  });
  const findKey = (headers: FieldReader) => clientDoor.find(headers);
  return {
    live: { judge: (evidence) => trust.judge(evidence), findKey, ports },
    door: new OverrideDoor({
      policy: settings,
      trust,
      findKey,
      secretOf: (name) => secrets.get(name)!(),
    }),
    tally: new OverrideTally(),
    carrierTo: (target) => dialer.carrierTo(target),
    close: () => dialer.close(),
  };
}
