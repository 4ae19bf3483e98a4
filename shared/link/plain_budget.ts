/** Bytes that several bodies keep together. */
export class Budget {
  #taken = 0;

  constructor(readonly limitBytes: number) {}

  /** False: this is more than there was. It counts as taken all the same, until it is given back. */
  take(bytes: number): boolean {
    this.#taken += bytes;
    return this.#taken <= this.limitBytes;
  }

  give(bytes: number): void {
    this.#taken -= bytes;
  }
}
