import { parse } from "smol-toml";

/**
 * Finds the lines of keys in a TOML text, for messages: the parser gives none. The text is known to be valid.
 */

/** A key as its names, tables of a list by their number: `["worker", 0, "name"]`. */
export type KeyPath = readonly (string | number)[];

/**
 * The line (from 1) where a key is written. What is in a list or an inline table has the line of the key it belongs
 * to; what is not written has that of its table; undefined: not even that is.
 */
export function lineOfKey(toml: string, path: KeyPath): number | undefined {
  const lines = keyLines(toml);
  for (let length = path.length; length > 0; length--) {
    const line = lines.get(nameOf(path.slice(0, length)));
    if (line !== undefined) return line;
  }
  return undefined;
}

/** The line, from that of its list on, where one text of the list is written; its list's when it is not found. */
export function lineOfText(toml: string, listLine: number, text: string): number {
  const at = toml
    .split("\n")
    .findIndex(
      (line, index) =>
        index >= listLine - 1 && ['"', "'"].some((quote) => line.includes(quote + text + quote)),
    );
  return at < 0 ? listLine : at + 1;
}

function nameOf(path: KeyPath): string {
  return JSON.stringify(path);
}

/** Every table and key of the text, the first time it is written. */
function keyLines(toml: string): Map<string, number> {
  const lines = new Map<string, number>();
  /** How many tables of each list there were so far, by the list's path. */
  const counts = new Map<string, number>();
  let table: KeyPath = [];
  for (const { text, line } of statements(toml)) {
    const [, brackets, header] = /^(\[\[?)(.*)/s.exec(text) ?? [];
    if (brackets === undefined) {
      const keys = readKeys(text);
      for (let count = 1; count <= keys.length; count++)
        note(lines, [...table, ...keys.slice(0, count)], line);
      continue;
    }
    const keys = readKeys(header!);
    table = resolved(keys, counts);
    if (brackets === "[[") {
      const list = nameOf(table);
      counts.set(list, (counts.get(list) ?? -1) + 1);
      note(lines, table, line);
      table = [...table, counts.get(list)!];
    }
    note(lines, table, line);
  }
  return lines;
}

function note(lines: Map<string, number>, path: KeyPath, line: number): void {
  const name = nameOf(path);
  if (!lines.has(name)) lines.set(name, line);
}

/** In a header the name of a list stands for the last table in it; the last name is what the header begins. */
function resolved(keys: readonly string[], counts: ReadonlyMap<string, number>): KeyPath {
  let path: KeyPath = [];
  for (const [at, key] of keys.entries()) {
    path = [...path, key];
    const last = counts.get(nameOf(path));
    if (last !== undefined && at < keys.length - 1) path = [...path, last];
  }
  return path;
}

/** Headers and assignments, each with the line it starts in. A value's own lines are part of its assignment. */
function* statements(toml: string): Generator<{ text: string; line: number }> {
  let line = 1;
  let at = 0;
  while (at < toml.length) {
    const end = statementEnd(toml, at);
    const text = toml.slice(at, end);
    const indent = /^\s*/.exec(text)![0];
    const written = text.slice(indent.length);
    if (written !== "" && !written.startsWith("#")) yield { text: written, line: line + countLines(indent) };
    line += countLines(text);
    at = end;
  }
}

function countLines(text: string): number {
  return text.split("\n").length - 1;
}

/** What a statement consists of: texts of four kinds, comments, brackets, other characters. */
const PART =
  /"""(?:\\[\s\S]|[^\\])*?"""+|'''[\s\S]*?'''+|"(?:\\.|[^"\\\n])*"|'[^'\n]*'|#[^\n]*|[[\]{}\n]|[^"'#[\]{}\n]+/y;

/** Behind the first line break that is not within a text or brackets. */
function statementEnd(toml: string, start: number): number {
  let depth = 0;
  PART.lastIndex = start;
  for (let match = PART.exec(toml); match; match = PART.exec(toml)) {
    const [part] = match;
    if (part === "[" || part === "{") depth++;
    if (part === "]" || part === "}") depth--;
    if (part === "\n" && depth === 0) return PART.lastIndex;
  }
  return toml.length;
}

/** What a key may be written of, up to its `=` or `]`. */
const WRITTEN_KEY = /^(?:"(?:\\.|[^"\\])*"|'[^']*'|[^"'=\]])+/;

/** The names of a dotted key at the start of a text. */
function readKeys(text: string): string[] {
  const keys: string[] = [];
  let value: unknown = parse(`${WRITTEN_KEY.exec(text)![0]} = 1`);
  while (typeof value === "object" && value !== null) {
    const [[key, inner]] = Object.entries(value) as [[string, unknown]];
    keys.push(key);
    value = inner;
  }
  return keys;
}
