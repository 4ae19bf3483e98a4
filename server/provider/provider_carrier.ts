import type { Http1Client } from "../../shared/http1/client.ts";
import type { Http1Failure, Origin } from "../../shared/http1/types.ts";
import type { LinkRequestHead } from "../../shared/link/events.ts";
import type { ExchangeHandlers } from "../../shared/link/link.ts";
import { log } from "../../shared/log.ts";
import type { Carrier } from "../relay/carrier.ts";
import type { OverrideTarget } from "../routing/override_types.ts";
import { ProviderExchange } from "./provider_exchange.ts";
import { type ProviderResolver, placeKey, type Resolution } from "./resolver.ts";

/** The way of all requests to one target. Its path and query replace those of a request. */
export class ProviderCarrier implements Carrier {
  readonly target: OverrideTarget;
  readonly client: Http1Client;
  readonly #resolver: Pick<ProviderResolver, "resolve">;
  readonly #place: string;
  #origin: (Origin & { readonly address: string }) | undefined;

  constructor(target: OverrideTarget, client: Http1Client, resolver: Pick<ProviderResolver, "resolve">) {
    this.target = target;
    this.client = client;
    this.#resolver = resolver;
    this.#place = placeKey(target);
  }

  openExchange(head: LinkRequestHead, handlers: ExchangeHandlers): ProviderExchange {
    return new ProviderExchange(this, head, handlers);
  }

  /** Where the provider is, checked. */
  resolve(): Resolution {
    return this.#resolver.resolve(this.target, this.#place);
  }

  /** The same for the same address, by which the client knows it again. */
  originAt(address: string): Origin {
    if (this.#origin?.address !== address) {
      const { host, port, secure } = this.target;
      this.#origin = { host, port, address, ...(secure && { tls: { serverName: host } }) };
    }
    return this.#origin;
  }

  /** A request got no whole answer. The failure may name addresses and what the provider said: it is for the log. */
  failed({ message }: Http1Failure): void {
    log.warn("A provider gave no whole answer", { ...this.#where, error: message });
  }

  /** A handler threw: a mistake of ours. */
  fault(error: unknown): void {
    log.error("An exchange was lost by a fault of the relay", { ...this.#where, error });
  }

  get #where() {
    return { endpoint: this.target.endpoint.name, host: this.target.host };
  }
}
