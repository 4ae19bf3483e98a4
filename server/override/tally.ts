/** How often each listed endpoint was used, by what came of it: an HTTP status, or the code of a failure. */
export class OverrideTally {
  /** Requests that a provider has now. */
  underWay = 0;
  readonly #counts = new Map<string, Map<string, number>>();

  began(): void {
    this.underWay++;
  }

  /** `endpoint`: its name in the settings. */
  ended(endpoint: string, result: string): void {
    this.underWay--;
    this.#count(endpoint, result);
  }

  /** Before there was an endpoint. */
  refused(code: string): void {
    this.#count("", code);
  }

  /** `{ "oci-dac": { "200": 3 }, "": { "override_not_listed": 1 } }`; undefined while there is nothing to tell. */
  report(): Record<string, Record<string, number>> | undefined {
    if (this.#counts.size === 0) return undefined;
    return Object.fromEntries(
      [...this.#counts].map(([name, results]) => [name, Object.fromEntries(results)]),
    );
  }

  /** Names and results are few: both are the program's or its operator's. */
  #count(endpoint: string, result: string): void {
    const results = this.#counts.get(endpoint) ?? new Map<string, number>();
    results.set(result, (results.get(result) ?? 0) + 1);
    this.#counts.set(endpoint, results);
  }
}
