import type { Clock } from "../../shared/clock.ts";
import { DialError } from "../../shared/runtime/ports.ts";
import { within } from "../../shared/within.ts";
import { ExpiringMap, pairKey } from "../fleet/expiring_map.ts";
import type { OverrideTarget } from "../routing/override_types.ts";
import { canonicalAddress, whyForbidden } from "./addresses.ts";
import type { Lookup } from "./lookup.ts";
import type { OwnAddresses } from "./own_addresses.ts";

/** How long checked addresses are used, whatever time to live the name has. */
const CHECKED_MS = 30_000;
/** How long it is remembered that there were none. */
const FAILED_MS = 1000;
/** Patterns with `*` have no end of hosts. */
const REMEMBERED_MAX = 4096;

export interface ResolverOptions {
  lookup: Lookup;
  clock: Clock;
  own: Pick<OwnAddresses, "has">;
  /** For one lookup. */
  timeoutMs: number;
}

export type Place = Pick<OverrideTarget, "endpoint" | "host" | "port">;

/** The addresses of one place, for as long as they may be used. */
export interface Resolution {
  /** When they are there already: at least one, each of them checked. */
  readonly addresses?: readonly string[];
  /** Rejects with a `DialError` when there are none, or one of them must not be dialled. */
  readonly done: Promise<readonly string[]>;
}

interface Remembered {
  addresses?: readonly string[];
  done: Promise<readonly string[]>;
  untilMs: number;
}

/** Where a provider's host is, asked and checked anew every 30 s. A single forbidden address refuses the host. */
export class ProviderResolver {
  readonly #options: ResolverOptions;
  readonly #remembered = new ExpiringMap<Remembered>({ lifetimeMs: CHECKED_MS, countMax: REMEMBERED_MAX });

  constructor(options: ResolverOptions) {
    this.#options = options;
  }

  /** `key`: of the place, for who asks often. */
  resolve(place: Place, key = placeKey(place)): Resolution {
    const nowMs = this.#options.clock.nowMs();
    const known = this.#remembered.get(key, nowMs);
    if (known && known.untilMs > nowMs) return known;
    const asked: Remembered = { done: this.#ask(place), untilMs: nowMs + CHECKED_MS };
    this.#remembered.set(key, asked, nowMs);
    asked.done.then(
      (addresses) => {
        asked.addresses = addresses;
      },
      () => {
        asked.untilMs = this.#options.clock.nowMs() + FAILED_MS;
      },
    );
    return asked;
  }

  async #ask(place: Place): Promise<readonly string[]> {
    const found = (await this.#lookup(place.host)).map(canonicalAddress);
    const attempt = `Cannot use the addresses of ${place.host}`;
    if (found.length === 0) throw new DialError("resolve", `${attempt}: there are none`);
    const { allowPrivate } = place.endpoint;
    const isOwn = (address: string) => this.#options.own.has(address, place.port);
    for (const address of found) {
      const why = whyForbidden(address, { allowPrivate, isOwn });
      if (why !== undefined)
        throw new DialError("unreachable", `${attempt}: ${address} is forbidden (${why})`);
    }
    // A machine without IPv6 would wait for a connection that cannot come.
    return found.toSorted((a, b) => Number(a.includes(":")) - Number(b.includes(":")));
  }

  async #lookup(host: string): Promise<string[]> {
    const { lookup, clock, timeoutMs } = this.#options;
    const asked = Promise.resolve(lookup(host)).catch((cause: Error) => {
      throw new DialError("resolve", `Cannot resolve ${host}: ${cause.message}`, { cause });
    });
    if (await within(clock, timeoutMs, asked)) return await asked;
    asked.catch(() => {});
    throw new DialError("timeout", `Cannot resolve ${host}: no answer within ${timeoutMs} ms`);
  }
}

/** What is remembered by. */
export function placeKey({ endpoint, host, port }: Place): string {
  return pairKey(endpoint.name, `${host}:${port}`);
}
