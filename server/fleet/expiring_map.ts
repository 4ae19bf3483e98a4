/**
 * Keys hold names that clients may choose at will: longer ones are nobody's. The longest of ours are a model's and a
 * session's of 256 characters each.
 */
const KEY_MAX_UNITS = 520;

/**
 * What is remembered for a bounded time after it was last set, and in bounded number: when there is more, the oldest
 * half goes. Setting and getting cost the same whatever the size. (One map whose first entry makes room for each new
 * one does not: with 16,384 entries that takes 10 µs and more, as both runtimes walk over what was deleted.)
 */
export class ExpiringMap<Value> {
  readonly #lifetimeMs: number;
  readonly #generationMax: number;
  #young = new Map<string, Entry<Value>>();
  #old = new Map<string, Entry<Value>>();
  #youngSinceMs = Number.NEGATIVE_INFINITY;

  constructor({ lifetimeMs, countMax }: { lifetimeMs: number; countMax: number }) {
    this.#lifetimeMs = lifetimeMs;
    this.#generationMax = Math.ceil(countMax / 2);
  }

  /** Begins its time anew. */
  set(key: string, value: Value, nowMs: number): void {
    if (key.length > KEY_MAX_UNITS) return;
    const aged = nowMs >= this.#youngSinceMs + this.#lifetimeMs;
    if (aged || (this.#young.size >= this.#generationMax && !this.#young.has(key))) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngSinceMs = nowMs;
    }
    this.#old.delete(key);
    this.#young.set(key, { value, untilMs: nowMs + this.#lifetimeMs });
  }

  get(key: string, nowMs: number): Value | undefined {
    const entry = this.#young.get(key) ?? this.#old.get(key);
    return entry && entry.untilMs > nowMs ? entry.value : undefined;
  }

  /** With those whose time is up but for which nothing new came. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }
}

interface Entry<Value> {
  value: Value;
  untilMs: number;
}

/** A key for two names, which may hold any character. */
export function pairKey(first: string, second: string): string {
  return `${first.length} ${first}${second}`;
}
