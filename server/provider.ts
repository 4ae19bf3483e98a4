import type { Clock } from "../shared/clock.ts";
import { Http1Client, type Http1ClientOptions } from "../shared/http1/client.ts";
import { DialError, type Runtime } from "../shared/runtime/ports.ts";
import type { HostPort } from "../shared/settings/addresses.ts";
import { type Lookup, lookupBy } from "./provider/lookup.ts";
import { OwnAddresses } from "./provider/own_addresses.ts";
import { ProviderCarrier } from "./provider/provider_carrier.ts";
import { ProviderResolver } from "./provider/resolver.ts";
import type { OverrideEndpoint, OverrideTarget } from "./routing/override_types.ts";

/** Limits as those of `Http1Client`, with its defaults. */
export interface ProviderDialerOptions
  extends Pick<Http1ClientOptions, "connectTimeoutMs" | "firstByteTimeoutMs" | "idleBodyTimeoutMs"> {
  runtime: Pick<Runtime, "dial">;
  clock: Clock;
  /** A DNS server, by its address, that is asked for providers' names. Default: as the system resolves them. */
  resolver?: HostPort | undefined;
  /** More authorities to trust, PEM. */
  caPem?: string[] | undefined;
  /** The ports that the relay listens on: it is not its own provider. */
  listeningPorts(): Iterable<number>;
  /** In place of the system's; for tests. */
  lookup?: Lookup;
  interfaces?: () => Iterable<string>;
}

/** For a name and a connection each. */
const CONNECT_TIMEOUT_MS = 10_000;

/**
 * The one way to a provider: a connection is made to an address that was checked, under the name that the request
 * gave. No redirect is followed, no proxy asked, no cookie kept. Connections of one endpoint are never another's.
 */
export class ProviderDialer {
  readonly #options: ProviderDialerOptions;
  readonly #resolver: ProviderResolver;
  /** By the endpoint's name. */
  readonly #clients = new Map<string, Http1Client>();
  readonly #carriers = new WeakMap<OverrideTarget, ProviderCarrier>();

  constructor(options: ProviderDialerOptions) {
    const { clock, lookup, resolver, listeningPorts, interfaces } = options;
    this.#options = options;
    this.#resolver = new ProviderResolver({
      lookup: lookup ?? lookupBy(resolver),
      clock,
      own: new OwnAddresses({ clock, ports: listeningPorts, ...(interfaces && { interfaces }) }),
      timeoutMs: options.connectTimeoutMs || CONNECT_TIMEOUT_MS,
    });
  }

  /** Where attempts for this target are made. Its path and query replace those of the request. */
  carrierTo(target: OverrideTarget): ProviderCarrier {
    const known = this.#carriers.get(target);
    if (known) return known;
    const carrier = new ProviderCarrier(target, this.#clientOf(target.endpoint), this.#resolver);
    this.#carriers.set(target, carrier);
    return carrier;
  }

  /** Open connections, idle ones included. */
  get connections(): number {
    return [...this.#clients.values()].reduce((sum, { connections }) => sum + connections, 0);
  }

  /** Close every connection. Exchanges under way break off. */
  close(): void {
    for (const client of this.#clients.values()) client.close();
  }

  #clientOf(endpoint: OverrideEndpoint): Http1Client {
    const known = this.#clients.get(endpoint.name);
    if (known) return known;
    const client = new Http1Client({ ...this.#options, runtime: { dial: this.#guard(endpoint) } });
    this.#clients.set(endpoint.name, client);
    return client;
  }

  /** All that can dial here: to an address that the host has at this moment, each of them checked. */
  #guard(endpoint: OverrideEndpoint): Runtime["dial"] {
    const { runtime, caPem } = this.#options;
    return async (options, handlers) => {
      const { host, port, address, tls } = options;
      const addresses = await this.#resolver.resolve({ endpoint, host, port }).done;
      if (address === undefined || !addresses.includes(address)) {
        throw new DialError(
          "unreachable",
          `Cannot connect to ${host}: ${address} is not its address any more`,
        );
      }
      return runtime.dial({ ...options, ...(tls && { tls: { ...tls, ...(caPem && { caPem }) } }) }, handlers);
    };
  }
}
