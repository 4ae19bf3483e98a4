/** Header fields to be read: a `Headers` is one. Names are given and told in lower case, as HTTP/2 writes them. */
export interface FieldReader {
  /** The value, of several lines one; null: there is no such field. */
  get(name: string): string | null;
  has(name: string): boolean;
  forEach(visit: (value: string, name: string) => void): void;
}

/**
 * The fields of one request, taken out of its `Headers` once. A relay asks for thirty of them by name: each costs a
 * call into the runtime there, and a look at a dozen short strings here.
 */
export class ReceivedFields implements FieldReader {
  readonly #names: string[] = [];
  readonly #values: string[] = [];

  constructor(headers: Pick<Headers, "forEach">) {
    // forEach: as fast as `for … of` on Bun and ten times faster on Deno.
    headers.forEach((value, name) => {
      this.#names.push(name);
      this.#values.push(value);
    });
  }

  get(name: string): string | null {
    const at = this.#names.indexOf(name);
    return at < 0 ? null : this.#values[at]!;
  }

  has(name: string): boolean {
    return this.#names.includes(name);
  }

  forEach(visit: (value: string, name: string) => void): void {
    for (let at = 0; at < this.#names.length; at++) visit(this.#values[at]!, this.#names[at]!);
  }
}
