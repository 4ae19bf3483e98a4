/** How many WebSockets a listener has open, for whoever waits until there are none. */
export class OpenSockets {
  #open = 0;
  #none: (() => void)[] = [];

  opened(): void {
    this.#open++;
  }

  ended(): void {
    this.#open--;
    if (this.#open === 0) for (const resolve of this.#none.splice(0)) resolve();
  }

  /** Resolves when none is open, so maybe at once. */
  none(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#open === 0) resolve();
      else this.#none.push(resolve);
    });
  }
}
