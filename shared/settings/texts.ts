import { PREFIX_COUNT_MAX, PREFIX_LENGTH_MAX_CHARS } from "../endpoint_prefixes.ts";
import { quote } from "../printable.ts";
import { type Kind, kindOf, Misread } from "./field.ts";

/** A name that goes into headers and queries: of a provider, of a worker. */
export const name: Kind<string> = kindOf({
  placeholder: "NAME",
  hint: "write 1 to 128 characters without commas, and without spaces at the ends",
  read: (raw) => (isText(raw, /^(?!\s)[^,\p{Cc}]{1,128}(?<!\s)$/u) ? raw : misread("is not a name")),
  print: (value) => value,
});

/** The path of a file. */
export const file: Kind<string> = kindOf({
  placeholder: "FILE",
  hint: "write the path of a file",
  path: true,
  read: (raw) => (isText(raw, /^[^\0]+$/) ? raw : misread("is not the path of a file")),
  print: (value) => value,
});

/** On or off: the flag alone, `--no-…`, or a word. */
export const flag: Kind<boolean> = kindOf({
  placeholder: "",
  hint: "write true or false",
  read(raw) {
    const word = String(raw).toLowerCase();
    if (["true", "1", "yes", "on"].includes(word)) return true;
    return ["false", "0", "no", "off"].includes(word) ? false : misread("is neither true nor false");
  },
  print: (value) => value,
});

/** One word of a few. `also` maps spellings that are understood to the word they stand for. */
export function choice<const Word extends string>(
  words: readonly Word[],
  also: Readonly<Record<string, Word>> = {},
): Kind<Word> {
  const list = words.join(", ");
  return kindOf<Word>({
    placeholder: words.join("|"),
    choices: words,
    hint: `write one of ${list}`,
    read(raw) {
      const text = String(raw).toLowerCase();
      return words.find((word) => word === text) ?? own(also, text) ?? misread(`is not one of ${list}`);
    },
    print: (value) => value,
  });
}

/** Model names, as a client writes them. */
export const models: Kind<string[]> = listOf({
  placeholder: "NAMES",
  hint: "write llama3,qwen3 or * to ask the backend",
  least: 1,
  read: (text) => (/^[^\p{Cc}]{1,256}$/u.test(text) ? text : misread("is not a model name")),
});

/** Paths, of which one stands for itself and everything below it; with a `*` at its end for all that starts so. */
export const paths: Kind<string[]> = pathList(0);

/** The same where none would be taken for all of them. */
export const somePaths: Kind<string[]> = pathList(1);

function pathList(least: number): Kind<string[]> {
  return listOf({
    placeholder: "PATHS",
    hint: "write /v1/chat,/v1/models or /v1/audio*",
    least,
    most: PREFIX_COUNT_MAX,
    read(text) {
      const path = `/${text.replace(/^\/+/, "")}`.replace(/(.)\/+$/, "$1");
      if (path.length > PREFIX_LENGTH_MAX_CHARS)
        misread(`is longer than ${PREFIX_LENGTH_MAX_CHARS} characters`, text);
      if (/[?#\s\p{Cc}]|\*.|\/\.{1,2}(\/|$)/u.test(path)) misread("is not a path", text);
      return path;
    },
  });
}

interface ListOptions {
  placeholder: string;
  hint: string;
  /** How many values there must and may be. */
  least?: number;
  most?: number;
  /** @throws Misread */
  read(text: string): string;
}

/** A comma list: items are trimmed, empty ones and repetitions dropped. */
export function listOf({ placeholder, hint, least = 0, most = 1000, read }: ListOptions): Kind<string[]> {
  return kindOf<string[]>({
    placeholder,
    hint,
    several: "comma",
    read(raw) {
      const items = (typeof raw === "string" ? raw.split(",") : toTexts(raw)).map((item) => item.trim());
      const values = new Set(items.filter((item) => item !== "").map((item) => readItem(read, item)));
      if (values.size < least) misread("names nothing");
      if (values.size > most) throw new Misread(`are more than ${most}`, `${values.size} values`);
      return [...values];
    },
    print: (value) => value,
  });
}

function readItem(read: (text: string) => string, item: string): string {
  try {
    return read(item);
  } catch (error) {
    // Of a list, the item is to blame.
    throw error instanceof Misread ? new Misread(error.phrase, error.shown ?? quote(item)) : error;
  }
}

function toTexts(raw: unknown): string[] {
  return Array.isArray(raw) && raw.every((item) => typeof item === "string")
    ? raw
    : misread("is not a list of texts");
}

/** A word is no key of what every object inherits. */
function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

function isText(raw: unknown, pattern: RegExp): raw is string {
  return typeof raw === "string" && pattern.test(raw);
}

function misread(phrase: string, text?: string): never {
  throw new Misread(phrase, text === undefined ? undefined : quote(text));
}
