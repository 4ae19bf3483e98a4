import type { Clock } from "../../shared/clock.ts";
import { RelayFailure } from "../../shared/failures.ts";
import type { AuthLimiter } from "../keys/auth_limiter.ts";
import type { WorkerSecrets } from "../keys/worker_secrets.ts";

export interface WorkerDoorOptions {
  secrets: WorkerSecrets;
  limiter: AuthLimiter;
  clock: Clock;
  /** For workers that name none. */
  defaultProvider: string;
  /** Handshakes that are taken per second. */
  handshakesPerSecond: number;
}

/** What a knock leads to. `reason`: for a worker that learns it from the close of its socket. */
export type Entry =
  | { admitted: true; provider: string; models: ReadonlySet<string> | undefined }
  | { admitted: false; reason: string };

/** ModelRelay's words. */
const AUTH_FAILED = "worker authentication failed";
const RATE_LIMITED = "worker authentication temporarily rate limited";

const PROVIDER_NAME_MAX_CHARS = 128;

/** Decides which workers may connect, and under which provider. */
export class WorkerDoor {
  readonly #options: WorkerDoorOptions;
  #second = Number.NEGATIVE_INFINITY;
  #handshakes = 0;

  constructor(options: WorkerDoorOptions) {
    this.#options = options;
  }

  /**
   * A Signalbox worker says so in a header and is refused before the upgrade; any other is ModelRelay's, which
   * wants to be upgraded and closed with a reason.
   *
   * @throws RelayFailure
   */
  knock(request: Request, peer: string): Entry {
    // Workers send none, browsers always do: no web page may pose as a worker of a relay that asks for no secret.
    if (request.headers.has("origin")) throw new RelayFailure("link_auth_failed");
    this.#countHandshake();
    const query = new URLSearchParams(new URL(request.url).search);
    const provider = this.#provider(query);
    const inQuery = single(query, "worker_secret");
    const ours = request.headers.has("x-signalbox-link");
    const { limiter, secrets } = this.#options;
    const waitMs = limiter.retryAfterMs(peer);
    if (waitMs > 0)
      return refuse(
        ours,
        RATE_LIMITED,
        new RelayFailure("too_many_attempts", { retryAfterS: waitMs / 1000 }),
      );
    const secret = request.headers.get("x-worker-secret") ?? inQuery;
    const admission = secrets.check(secret, provider);
    if (admission.ok) return { admitted: true, provider, models: admission.models };
    // No secret at all is a mistake of set-up, not a guess.
    if (secret !== undefined) limiter.failed(peer);
    return refuse(ours, AUTH_FAILED, new RelayFailure("link_auth_failed"));
  }

  #provider(query: URLSearchParams): string {
    const provider = single(query, "provider") || this.#options.defaultProvider;
    if (provider.length <= PROVIDER_NAME_MAX_CHARS) return provider;
    throw new RelayFailure("bad_request", {
      detail: `provider must have at most ${PROVIDER_NAME_MAX_CHARS} characters`,
    });
  }

  /** A fleet that comes back after a restart must not keep the relay from answering those that are there. */
  #countHandshake(): void {
    const { clock, handshakesPerSecond } = this.#options;
    const now = clock.nowMs();
    if (now - this.#second >= 1000) {
      this.#second = now;
      this.#handshakes = 0;
    }
    if (++this.#handshakes > handshakesPerSecond) throw new RelayFailure("too_many_workers");
  }
}

function refuse(ours: boolean, reason: string, failure: RelayFailure): Entry {
  if (ours) throw failure;
  return { admitted: false, reason };
}

/** @throws RelayFailure when a parameter comes twice: which one counts must not be a matter of taste */
function single(query: URLSearchParams, name: string): string | undefined {
  const values = query.getAll(name);
  if (values.length > 1)
    throw new RelayFailure("bad_request", { detail: `${name} comes ${values.length} times` });
  return values[0];
}
