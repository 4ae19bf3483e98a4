import { soleName } from "./override_pattern.ts";
import type { OverrideFault, OverridePattern, PatternPart, PatternPiece } from "./override_types.ts";
import { cutQuery, type EndpointUrl } from "./override_url.ts";

/**
 * Wildcards are tried at most so often for one pattern and URL, which takes a millisecond at the worst: a segment with
 * many dashes can be `{a}-{b}-{c}` in very many ways. A URL that needs more does not match.
 */
const TRIES_MAX = 1000;

/**
 * What of a URL differs from a pattern; undefined when it matches. Costs at most the length of the pattern times that
 * of the URL, and `TRIES_MAX` tries.
 */
export function matchFault(pattern: OverridePattern, url: EndpointUrl): OverrideFault | undefined {
  const matching = new Matching();
  return (
    schemeFault(pattern, url) ??
    matching.fault("host", pattern.host, url.labels) ??
    portFault(pattern, url) ??
    pathFault(matching, pattern, url) ??
    queryFault(matching, pattern, url) ??
    matching.lastFault()
  );
}

function schemeFault({ secure }: OverridePattern, url: EndpointUrl): OverrideFault | undefined {
  if (secure !== url.secure) return { part: "scheme", detail: `wanted ${secure ? "https" : "http"}` };
  return undefined;
}

function portFault({ port }: OverridePattern, url: EndpointUrl): OverrideFault | undefined {
  return port === url.port ? undefined : { part: "port", detail: `wanted ${port}, found ${url.port}` };
}

function pathFault(matching: Matching, { path, openEnded }: OverridePattern, { segments }: EndpointUrl) {
  if (!openEnded) return matching.fault("path", path, segments);
  if (segments.length > path.length) return matching.fault("path", path, segments.slice(0, path.length));
  return wrongCount("path", `more than ${path.length}`, segments.length);
}

function queryFault(matching: Matching, { query }: OverridePattern, url: EndpointUrl) {
  if (query && url.query !== undefined) return matching.fault("query", query, cutQuery(url.query));
  if (query) return { part: "query", detail: "wanted one" };
  return url.query === undefined ? undefined : { part: "query", detail: "wanted none" };
}

type Where = "host" | "path" | "query";

const NOUNS = { host: "label", path: "segment", query: "piece" };

function wrongCount(where: Where, wanted: string, found: number): OverrideFault {
  return { part: where, detail: `wanted ${wanted} ${NOUNS[where]}s, found ${found}` };
}

/** A part of a pattern and the text that stands in its place. */
interface Pair {
  readonly where: Where;
  readonly part: PatternPart;
  readonly text: string;
}

/** One pattern beside one URL: what its names stand for is found on the way. */
class Matching {
  readonly #names = new Map<string, string>();
  /** Parts with names and further wildcards: most follow from names that other parts decide. */
  readonly #later: Pair[] = [];
  /** Which of them was reached. */
  #doubtful = 0;
  #triesLeft = TRIES_MAX;

  /** What is wrong with texts, as far as it can be told yet. */
  fault(where: Where, parts: readonly PatternPart[], texts: readonly string[]): OverrideFault | undefined {
    if (parts.length !== texts.length) return wrongCount(where, `${parts.length}`, texts.length);
    for (const [at, part] of parts.entries()) {
      const pair = { where, part, text: texts[at]! };
      const name = soleName(part);
      const later = name === undefined && part.some(({ type }) => type === "name");
      if (later) this.#later.push(pair);
      else if (name === undefined ? !this.#covers(pair) : !this.#decides(pair, name)) return differs(pair);
    }
    return undefined;
  }

  /** What is wrong with the parts that had to wait: with the last of them that could not be brought in line. */
  lastFault(): OverrideFault | undefined {
    return this.#allFit(0) ? undefined : differs(this.#later[this.#doubtful]!);
  }

  #allFit(at: number): boolean {
    this.#doubtful = Math.max(this.#doubtful, Math.min(at, this.#later.length - 1));
    const pair = this.#later[at];
    if (!pair) return true;
    const others = () => this.#allFit(at + 1);
    if (pair.part.every((piece) => piece.type === "any" || this.#textOf(piece) !== undefined))
      return this.#covers(pair) && others();
    return !hasWildEscape(pair) && this.#fits(pair, { at: 0, from: 0 }, others);
  }

  /** Whether the rest of a text is the rest of a part, for names with which `others` fit too. */
  #fits(pair: Pair, { at, from }: { at: number; from: number }, others: () => boolean): boolean {
    const { part, text } = pair;
    const piece = part[at];
    if (!piece) return from === text.length && others();
    const fixed = this.#textOf(piece);
    const goesOn = (end: number) => this.#fits(pair, { at: at + 1, from: end }, others);
    if (fixed !== undefined) return text.startsWith(fixed, from) && goesOn(from + fixed.length);
    // No two wildcards touch: a text that is written out tells where this one may end.
    const next = part[at + 1];
    for (const end of endsOf(text, from + 1, next && written(next))) {
      if (--this.#triesLeft < 0) return false;
      if (piece.type === "name") this.#names.set(piece.name, text.slice(from, end));
      if (goesOn(end)) return true;
      if (piece.type === "name") this.#names.delete(piece.name);
    }
    return false;
  }

  /** What a piece stands for, when that is known. */
  #textOf(piece: PatternPiece): string | undefined {
    if (piece.type === "text") return piece.text;
    return piece.type === "name" ? this.#names.get(piece.name) : undefined;
  }

  /** A part whose only wildcard is a name: the name stands for what it stood for before. */
  #decides({ where, part, text }: Pair, name: string): boolean {
    const known = this.#names.get(name);
    if (known !== undefined) return this.#covers({ where, part, text });
    const at = part.findIndex(({ type }) => type === "name");
    const [before = "", after = ""] = [part.slice(0, at), part.slice(at + 1)].map((texts) =>
      texts.map(written).join(""),
    );
    this.#names.set(name, text.slice(before.length, text.length - after.length));
    return this.#covers({ where, part: part.with(at, { type: "any" }), text });
  }

  #covers({ where, part, text }: Pair): boolean {
    if (hasWildEscape({ where, part, text })) return false;
    const texts = [""];
    for (const piece of part) {
      if (piece.type === "any") texts.push("");
      else texts.push(`${texts.pop()}${this.#textOf(piece)}`);
    }
    return isJoined(texts, text);
  }
}

/** A query is compared as written: what an escape under a wildcard would turn into is not looked at. */
function hasWildEscape({ where, part, text }: Pair): boolean {
  return where === "query" && text.includes("%") && part.some(({ type }) => type !== "text");
}

/** Where a wildcard may end that ends at `least` or behind it: before each place of `next`, or at the text's own end. */
function* endsOf(text: string, least: number, next: string | undefined): Generator<number> {
  if (next === undefined) {
    if (least <= text.length) yield text.length;
    return;
  }
  for (let at = text.indexOf(next, least); at >= 0; at = text.indexOf(next, at + 1)) yield at;
}

function differs({ where, part }: Pair): OverrideFault {
  return { part: where, detail: `a ${NOUNS[where]} is not ${part.map(written).join("")}` };
}

function written(piece: PatternPiece): string {
  if (piece.type === "text") return piece.text;
  return piece.type === "any" ? "*" : `{${piece.name}}`;
}

/**
 * True when `text` is `texts` with at least one character between each two of them. The leftmost place for each is
 * the best: it leaves the most to those behind it.
 */
function isJoined(texts: readonly string[], text: string): boolean {
  const [first = "", ...others] = texts;
  const last = others.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const next of others) {
    const found = text.indexOf(next, at + 1);
    if (found < 0) return false;
    at = found + next.length;
  }
  return text.length - last.length > at && text.endsWith(last);
}
