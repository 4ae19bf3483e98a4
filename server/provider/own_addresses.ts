import { networkInterfaces } from "node:os";
import type { Clock } from "../../shared/clock.ts";
import { canonicalAddress, isLoopbackAddress } from "./addresses.ts";

/** Addresses of a machine seldom change. */
const READ_AGAIN_MS = 30_000;

export interface OwnAddressesOptions {
  clock: Clock;
  /** Where the relay listens, on whatever address. */
  ports(): Iterable<number>;
  /** Addresses of this machine's interfaces. */
  interfaces?: () => Iterable<string>;
}

/**
 * What the relay itself would answer: an address of this machine's interfaces, whatever listens there; of loopback,
 * which `allow_private` can open for other programs, only the ports that the relay listens on.
 */
export class OwnAddresses {
  readonly #options: OwnAddressesOptions;
  #addresses: ReadonlySet<string> = new Set();
  #readAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: OwnAddressesOptions) {
    this.#options = options;
  }

  /** `address` as `canonicalAddress` writes it. */
  has(address: string, port: number): boolean {
    if (isLoopbackAddress(address)) return new Set(this.#options.ports()).has(port);
    this.#read();
    return this.#addresses.has(address);
  }

  #read(): void {
    const { clock, interfaces = interfaceAddresses } = this.#options;
    if (clock.nowMs() - this.#readAtMs < READ_AGAIN_MS) return;
    this.#readAtMs = clock.nowMs();
    this.#addresses = new Set([...interfaces()].map(canonicalAddress));
  }
}

function interfaceAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((found) => (found ?? []).map(({ address }) => address));
}
