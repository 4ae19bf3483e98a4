import { lookup, Resolver } from "node:dns/promises";
import type { HostPort } from "../../shared/settings/addresses.ts";

/** The addresses of a name, unchecked. May be none. */
export type Lookup = (host: string) => Promise<string[]>;

/** By a DNS server where one is given, else as the system does. */
export function lookupBy(resolver: HostPort | undefined): Lookup {
  return resolver ? serverLookup(resolver) : systemLookup;
}

/** As the system resolves names, its hosts file included. */
export const systemLookup: Lookup = async (host) => {
  const found = await lookup(host, { all: true });
  return found.map(({ address }) => address);
};

/**
 * Asks one DNS server, whatever the system would. It answers over UDP, or over TCP when its answer is too long.
 * @throws TypeError when the server is not given by its address
 */
export function serverLookup({ host, port }: HostPort): Lookup {
  // A new one each time: Bun's keeps for itself, for longer than we would, that a name has no address of one kind.
  const makeResolver = () => {
    const resolver = new Resolver({ timeout: 2000, tries: 2 });
    resolver.setServers([`${host.includes(":") ? `[${host}]` : host}:${port}`]);
    return resolver;
  };
  makeResolver();
  return async (name) => {
    const resolver = makeResolver();
    // A name with a dot at its end is whole: no search domain is tried.
    const whole = `${name}.`;
    const found = await Promise.allSettled([resolver.resolve4(whole), resolver.resolve6(whole)]);
    const [v4, v6] = found;
    // One of the two is often missing, and that is an error here.
    if (isRejected(v4) && isRejected(v6)) throw v4.reason;
    return found.flatMap((part) => (isRejected(part) ? [] : part.value));
  };
}

function isRejected(part: PromiseSettledResult<unknown>): part is PromiseRejectedResult {
  return part.status === "rejected";
}
