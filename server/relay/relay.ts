import type { Clock } from "../../shared/clock.ts";
import type { RequestContext, Runtime } from "../../shared/runtime/ports.ts";
import type { Sweeper } from "../../shared/sweeper.ts";
import type { WorkerLink } from "../hub/worker_connection.ts";
import type { ServeSettings } from "../settings.ts";
import type { WaitingLine } from "../waiting_line.ts";
import type { Caller } from "./check_request.ts";
import { RelayedRequest } from "./relayed_request.ts";

/** What relaying needs. */
export interface RelayParts {
  settings: Omit<ServeSettings, "resendPaths"> & { resendPaths: ReadonlySet<string> };
  line: WaitingLine<WorkerLink>;
  clock: Clock;
  sweeper: Sweeper;
  runtime: Pick<Runtime, "streamingBody">;
  /** Who sent these headers. @throws RelayFailure when a key is wanted and there is none, or it is unknown */
  authenticate(headers: Headers): Pick<Caller, "name" | "consumed">;
  isTrustedProxy(peer: string): boolean;
}

/** Takes any request to a worker and its answer back. */
export class Relay {
  readonly #parts: RelayParts;

  constructor(parts: RelayParts) {
    this.#parts = parts;
  }

  handle(request: Request, context: RequestContext): Promise<Response> {
    return new RelayedRequest(this.#parts, request, context).answer();
  }
}
