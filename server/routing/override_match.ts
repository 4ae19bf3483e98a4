import { soleName } from "./override_pattern.ts";
import type { OverrideFault, OverridePattern, PatternPart, PatternPiece } from "./override_types.ts";
import { cutQuery, type EndpointUrl } from "./override_url.ts";

/**
 * What of a URL differs from a pattern; undefined when it matches. Costs at most the length of the pattern times that
 * of the URL.
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
  /** Parts that follow from names which other parts decide. */
  readonly #later: Pair[] = [];

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

  /** What is wrong with the parts that had to wait. */
  lastFault(): OverrideFault | undefined {
    const pair = this.#later.find((candidate) => !this.#covers(candidate));
    return pair && differs(pair);
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
    const wild = part.some(({ type }) => type !== "text");
    // A query is compared as written: what an escape would turn into is not looked at.
    if (wild && where === "query" && text.includes("%")) return false;
    const texts = [""];
    for (const piece of part) {
      if (piece.type === "any") texts.push("");
      else texts.push(`${texts.pop()}${piece.type === "text" ? piece.text : this.#names.get(piece.name)}`);
    }
    return isJoined(texts, text);
  }
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
