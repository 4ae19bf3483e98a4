/**
 * JSON as Rust's serde_json reads it: what JSON.parse forgives or hides is an error or stays visible here. Lone
 * surrogates and the 128th level of nesting are refused, numbers keep their text (1.0 is no integer), and objects
 * keep every member (a member that stands twice is the schema's matter).
 */
export type JsonValue = string | boolean | null | JsonNumber | JsonValue[] | JsonObject;

export class JsonNumber {
  constructor(readonly text: string) {}
}

export class JsonObject {
  constructor(readonly members: [name: string, value: JsonValue][]) {}

  /** The one value of a member; undefined when it is absent. @throws SyntaxError when it stands twice. */
  member(name: string): JsonValue | undefined {
    const found = this.members.filter(([member]) => member === name);
    if (found.length > 1) throw new SyntaxError(`duplicate field \`${name}\``);
    return found[0]?.[1];
  }
}

const RECURSION_LIMIT = 128;
const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const WORD = /true|false|null/y;

/** @throws SyntaxError */
export function readJson(text: string): JsonValue {
  const reader = new Reader(text);
  const value = reader.value(0);
  reader.end();
  return value;
}

class Reader {
  #at = 0;

  constructor(readonly text: string) {}

  value(depth: number): JsonValue {
    this.#take(SPACE);
    const first = this.text[this.#at];
    const nests = first === "{" || first === "[";
    if (nests && depth + 1 >= RECURSION_LIMIT) throw new SyntaxError("recursion limit exceeded");
    if (first === "{") return this.#object(depth + 1);
    if (first === "[") return this.#array(depth + 1);
    if (first === '"') return this.#string();
    const word = this.#take(WORD);
    if (word !== undefined) return JSON.parse(word) as boolean | null;
    const number = this.#take(NUMBER);
    if (number === undefined) throw this.#unexpected();
    return new JsonNumber(number);
  }

  end(): void {
    this.#take(SPACE);
    if (this.#at < this.text.length) throw this.#unexpected();
  }

  #object(depth: number): JsonObject {
    const members: [string, JsonValue][] = [];
    this.#list("}", () => {
      this.#take(SPACE);
      const name = this.#string();
      this.#take(SPACE);
      this.#expect(":");
      members.push([name, this.value(depth)]);
    });
    return new JsonObject(members);
  }

  #array(depth: number): JsonValue[] {
    const items: JsonValue[] = [];
    this.#list("]", () => items.push(this.value(depth)));
    return items;
  }

  #list(close: string, item: () => void): void {
    this.#at++;
    this.#take(SPACE);
    if (this.text[this.#at] === close) {
      this.#at++;
      return;
    }
    for (;;) {
      item();
      this.#take(SPACE);
      if (this.text[this.#at] !== ",") break;
      this.#at++;
    }
    this.#expect(close);
  }

  #string(): string {
    // A regular expression over a long string overflows the stack of one runtime: the end is looked for by hand.
    const end = this.#endOfString();
    const raw = this.text.slice(this.#at, end);
    this.#at = end;
    let value: string;
    try {
      value = JSON.parse(raw) as string;
    } catch {
      throw new SyntaxError("invalid string");
    }
    if (!value.isWellFormed()) throw new SyntaxError("lone leading surrogate in hex escape");
    return value;
  }

  #endOfString(): number {
    if (this.text[this.#at] !== '"') throw this.#unexpected();
    for (let at = this.#at + 1; at < this.text.length; at++) {
      const unit = this.text.charCodeAt(at);
      if (unit === 0x22) return at + 1;
      if (unit === 0x5c) at++;
    }
    throw new SyntaxError("EOF while parsing a string");
  }

  #expect(unit: string): void {
    if (this.text[this.#at] !== unit) throw this.#unexpected();
    this.#at++;
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #unexpected(): SyntaxError {
    const at = this.#at;
    return new SyntaxError(
      at < this.text.length ? `unexpected character at ${at}` : "EOF while parsing a value",
    );
  }
}
