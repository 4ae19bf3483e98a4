/** How many requests for workers or endpoints there were, by what came of each: an HTTP status, or a failure's code. */
export class RequestTally {
  /** Both are few: statuses are numbers of three digits, and codes those of the failure table. */
  readonly #counts = new Map<string, number>();

  ended(result: string): void {
    this.#counts.set(result, (this.#counts.get(result) ?? 0) + 1);
  }

  /** `{ "200": 3, "no_eligible_worker": 1 }`; undefined while there is nothing to tell. */
  report(): Record<string, number> | undefined {
    return this.#counts.size > 0 ? Object.fromEntries(this.#counts) : undefined;
  }
}
