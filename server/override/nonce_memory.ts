/** About 10 MB when full. */
const NONCES_MAX = 65_536;

/** Which signatures were used, for as long as they could be used again. */
export class NonceMemory {
  /** Until when each must be remembered, the oldest first. */
  readonly #untilS = new Map<string, number>();
  readonly #max: number;

  constructor(max = NONCES_MAX) {
    this.#max = max;
  }

  /**
   * Remember a nonce. False: it was used before, or there is no room: to forget one would let it be used again, so
   * that who fills the memory stops new signatures and gains nothing.
   */
  use(nonce: string, { nowS, untilS }: { nowS: number; untilS: number }): boolean {
    if (this.wasUsed(nonce, nowS)) return false;
    if (this.#untilS.size >= this.#max) this.#forget(nowS);
    if (this.#untilS.size >= this.#max) return false;
    this.#untilS.set(nonce, untilS);
    return true;
  }

  /** Whether a nonce cannot be used any more. */
  wasUsed(nonce: string, nowS: number): boolean {
    return (this.#untilS.get(nonce) ?? Number.NEGATIVE_INFINITY) > nowS;
  }

  #forget(nowS: number): void {
    for (const [nonce, untilS] of this.#untilS) if (untilS <= nowS) this.#untilS.delete(nonce);
  }
}
