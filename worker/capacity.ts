/**
 * How many backend requests a worker runs at a time, over all its links: relays that share a worker must not
 * overload it together, however each of them counts.
 */
export class Capacity {
  #inFlight = 0;
  #idle: (() => void)[] = [];

  constructor(readonly limit: number) {}

  get inFlight(): number {
    return this.#inFlight;
  }

  /** False: all slots are taken. */
  take(): boolean {
    if (this.#inFlight >= this.limit) return false;
    this.#inFlight++;
    return true;
  }

  release(): void {
    this.#inFlight--;
    if (this.#inFlight > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** Resolves when nothing runs. */
  whenIdle(): Promise<void> {
    return this.#inFlight === 0 ? Promise.resolve() : new Promise((resolve) => this.#idle.push(resolve));
  }

  /**
   * What each of several relays is told: the shares add up to the limit, the first ones get what does not divide.
   * A relay is told at least 1; with fewer slots than relays the worker refuses what is too much.
   */
  shares(relays: number): number[] {
    const base = Math.floor(this.limit / relays);
    return Array.from({ length: relays }, (_, at) => Math.max(1, base + (at < this.limit % relays ? 1 : 0)));
  }
}
