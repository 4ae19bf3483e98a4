const FIRST_PLACES = 16;

/** No key: marks a place that is free. */
const FREE = 0;

/**
 * What is open at the moment, by a number of its own that is counted up: exchanges, requests under way. In place of a
 * `Map` or a `Set`, where entries come and go all the time. As these grow and shrink, JavaScriptCore makes a new table
 * of them and links the old one to it, entries and all: whatever was open once stays in memory until the next full
 * collection, with all that it refers to. Here nothing refers to what was deleted.
 */
export class OpenTable<Value> {
  /** Open addressing with linear probing: counted numbers fall into places of their own. */
  #keys: number[];
  #values: (Value | undefined)[];
  #size = 0;

  constructor(places = FIRST_PLACES) {
    this.#keys = new Array(places).fill(FREE);
    this.#values = new Array(places).fill(undefined);
  }

  get size(): number {
    return this.#size;
  }

  get(key: number): Value | undefined {
    return this.#values[this.#placeOf(key)];
  }

  has(key: number): boolean {
    return this.#keys[this.#placeOf(key)] === key;
  }

  /** `key`: 1 or more. */
  set(key: number, value: Value): void {
    if (2 * this.#size >= this.#keys.length) this.#grow();
    const place = this.#placeOf(key);
    if (this.#keys[place] === FREE) this.#size++;
    this.#keys[place] = key;
    this.#values[place] = value;
  }

  /** Idempotent. */
  delete(key: number): void {
    let free = this.#placeOf(key);
    if (this.#keys[free] === FREE) return;
    this.#size--;
    // What stands behind it and would not be found beyond a free place moves up.
    const last = this.#keys.length - 1;
    for (let at = (free + 1) & last; this.#keys[at] !== FREE; at = (at + 1) & last) {
      const home = this.#keys[at]! & last;
      if (((at - home) & last) < ((at - free) & last)) continue;
      this.#keys[free] = this.#keys[at]!;
      this.#values[free] = this.#values[at];
      free = at;
    }
    this.#keys[free] = FREE;
    this.#values[free] = undefined;
  }

  clear(): void {
    this.#keys.fill(FREE);
    this.#values.fill(undefined);
    this.#size = 0;
  }

  /** In no order. What `visit` deletes is not told any more, what it adds neither. */
  forEach(visit: (value: Value, key: number) => void): void {
    for (const key of this.#keys.filter((taken) => taken !== FREE)) {
      if (this.has(key)) visit(this.get(key)!, key);
    }
  }

  /** In no order. */
  values(): Value[] {
    return this.#values.filter((_value, place) => this.#keys[place] !== FREE) as Value[];
  }

  /** Where a key is, or would be. */
  #placeOf(key: number): number {
    const last = this.#keys.length - 1;
    let place = key & last;
    while (this.#keys[place] !== key && this.#keys[place] !== FREE) place = (place + 1) & last;
    return place;
  }

  #grow(): void {
    const larger = new OpenTable<Value>(2 * this.#keys.length);
    for (const [place, key] of this.#keys.entries()) {
      if (key !== FREE) larger.set(key, this.#values[place]!);
    }
    this.#keys = larger.#keys;
    this.#values = larger.#values;
  }
}
