import { systemClock } from "../../shared/clock.ts";
import { DialError } from "../../shared/runtime/ports.ts";
import type { HostPort } from "../../shared/settings/addresses.ts";
import { lookupBy } from "./lookup.ts";
import { OwnAddresses } from "./own_addresses.ts";
import { type Place, ProviderResolver } from "./resolver.ts";

/** What dialling a place would begin with. */
export interface DialPreview {
  /** Those that would be dialled, the first one first. */
  readonly addresses: string[];
  /** Why none would be. */
  readonly problem: string | null;
}

const LOOKUP_TIMEOUT_MS = 10_000;

/** Looks a provider's name up and checks its addresses as the relay does before it connects, and connects to none. */
export async function previewDial(
  place: Place,
  { resolver, ports }: { resolver: HostPort | undefined; ports: Iterable<number> },
): Promise<DialPreview> {
  const asked = new ProviderResolver({
    lookup: lookupBy(resolver),
    clock: systemClock,
    own: new OwnAddresses({ clock: systemClock, ports: () => ports }),
    timeoutMs: LOOKUP_TIMEOUT_MS,
  });
  try {
    return { addresses: [...(await asked.resolve(place).done)], problem: null };
  } catch (error) {
    if (!(error instanceof DialError)) throw error;
    return { addresses: [], problem: error.message };
  }
}
