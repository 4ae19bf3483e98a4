import type { Clock } from "../../shared/clock.ts";
import type { FieldReader } from "../../shared/received_fields.ts";
import type { Runtime } from "../../shared/runtime/ports.ts";
import type { Sweeper } from "../../shared/sweeper.ts";
import type { RequestTally } from "../admin/request_tally.ts";
import type { WorkerLink } from "../hub/worker_connection.ts";
import type { AdmittedOverride, OverrideDoor } from "../override/door.ts";
import type { OverrideTally } from "../override/tally.ts";
import type { OverrideTarget } from "../routing/override_types.ts";
import type { ServeSettings } from "../settings.ts";
import type { WaitingLine } from "../waiting_line.ts";
import type { Carrier } from "./carrier.ts";
import type { Pupil } from "./lessons.ts";

/** Who asks, as far as the relay has to know. */
export interface Caller {
  /** Name of the API key; undefined without one. */
  name: string | undefined;
  /** The header fields that held the relay's credential: they stop here. */
  consumed: readonly string[];
  /** It asks for the routing decision, and may see it. */
  mayExplain: boolean;
  /** Where it goes in place of a worker. */
  override?: AdmittedOverride;
}

/** What it takes to send a request to the endpoint that it names. */
export interface OverrideParts {
  readonly door: Pick<OverrideDoor, "admit">;
  readonly tally: OverrideTally;
  carrierTo(target: OverrideTarget): Carrier;
  /** Break off what providers still have, and close their connections. */
  close(): void;
}

/** What relaying needs. */
export interface RelayParts {
  settings: Omit<ServeSettings, "resendPaths" | "fallbackOn"> & {
    resendPaths: ReadonlySet<string>;
    fallbackOn: ReadonlySet<number>;
  };
  line: WaitingLine<WorkerLink>;
  /** Learns from answers. */
  fleet: Pupil;
  clock: Clock;
  sweeper: Sweeper;
  runtime: Pick<Runtime, "streamingBody">;
  /** Who sent these headers. @throws RelayFailure when a key is wanted and there is none, or it is unknown */
  authenticate(headers: FieldReader): Omit<Caller, "override">;
  /** Requests that name an endpoint of their own; undefined: none may. */
  override: OverrideParts | undefined;
  /** Told of every request when it is over. */
  tally: Pick<RequestTally, "ended">;
  /** A proxy of ours: what it says of the client is believed. */
  isTrustedProxy(peer: string): boolean;
}
