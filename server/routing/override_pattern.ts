import type { OverridePattern, PatternPart, PatternPiece } from "./override_types.ts";
import { cutPath, cutQuery, cutUrl, isFault, readEndpointUrl } from "./override_url.ts";
import { publicSuffixLabels } from "./public_suffix.ts";

/** A pattern cannot be used. The message says what in which part. */
export class PatternMistake extends Error {
  override readonly name = "PatternMistake";
  constructor(
    /** `scheme`, `host`, `port`, `path` or `query`. */
    readonly part: string,
    problem: string,
  ) {
    super(problem);
  }
}

/** Longer than any URL that it could match. */
const PATTERN_MAX_CHARS = 2048;

/**
 * Read a pattern: an endpoint's URL in which `*` is one label, one segment, or a piece of one, `{name}` the same but
 * equal wherever the name stands, and `**` at the end of the path one or more segments.
 * @throws PatternMistake
 */
export function compilePattern(text: string): OverridePattern {
  if (text.length > PATTERN_MAX_CHARS)
    throw new PatternMistake("pattern", `it is longer than ${PATTERN_MAX_CHARS} characters`);
  const cut = cutUrl(text);
  if (!cut)
    throw new PatternMistake("scheme", "it must begin with https:// or http://, and have no fragment");
  const { secure, host, writtenPort = "", path, query } = cut;
  if (/[*{}]/.test(writtenPort))
    throw new PatternMistake("port", "a port must be written out, not be a wildcard");
  if (query === "") throw new PatternMistake("query", "it ends in ? without a query");
  const segments = cutPath(path);
  const openEnded = segments.at(-1) === "**";
  const parts = {
    host: host.split(".").map((label) => readPart("host", label)),
    path: (openEnded ? segments.slice(0, -1) : segments).map((segment) => readPart("path", segment)),
    query: query === undefined ? undefined : cutQuery(query).map((piece) => readPart("query", piece)),
  };
  checkEnd(parts.host);
  const sample = readEndpointUrl(text.replace(WILDCARD, "x"));
  if (isFault(sample)) throw new PatternMistake(sample.part, sample.detail);
  const { port } = sample;
  return withoutLoneNames({ text, secure, ...parts, port, openEnded, ownDomain: hasOwnDomain(parts.host) });
}

/** What stands for something else. */
const WILDCARD = /\*\*?|\{[^{}]*\}/g;
const PIECE = /\*+|\{[^{}]*\}|[^*{}]+|[{}]/g;
const NAME = /^\{([A-Za-z][A-Za-z0-9_]{0,63})\}$/;

function readPart(part: string, text: string): PatternPart {
  const pieces = (text.match(PIECE) ?? []).map((piece) => readPiece(part, piece));
  const touching = pieces.findIndex(
    ({ type }, at) => type !== "text" && pieces[at + 1] && pieces[at + 1]!.type !== "text",
  );
  if (touching >= 0)
    throw new PatternMistake(part, `two wildcards touch in ${text}: where one ends could not be told`);
  return pieces;
}

function readPiece(part: string, text: string): PatternPiece {
  if (text === "*") return { type: "any" };
  if (text.startsWith("*"))
    throw new PatternMistake(
      part,
      "** must be the whole last segment of the path, and * stand alone elsewhere",
    );
  if (!/^[{}]/.test(text)) return { type: "text", text };
  const [, name] = NAME.exec(text) ?? [];
  if (name !== undefined) return { type: "name", name };
  throw new PatternMistake(part, `${text} is not a name in braces, as {region} is`);
}

/** The last two labels say whose host it is. */
function checkEnd(labels: readonly PatternPart[]): void {
  if (labels.slice(-2).every(isLiteral)) return;
  throw new PatternMistake("host", "its last two labels must be written out, not be wildcards");
}

function hasOwnDomain(labels: readonly PatternPart[]): boolean {
  const texts = labels.map((label) => (isLiteral(label) ? label.map(textOf).join("") : ""));
  return labels.slice(-publicSuffixLabels(texts) - 1).every(isLiteral);
}

function isLiteral(part: PatternPart): boolean {
  return part.every(({ type }) => type === "text");
}

function textOf(piece: PatternPiece): string {
  return piece.type === "text" ? piece.text : "";
}

/** The name that is a part's only wildcard: the part decides what it stands for. */
export function soleName(part: PatternPart): string | undefined {
  const wildcards = part.filter(({ type }) => type !== "text");
  return wildcards.length === 1 && wildcards[0]!.type === "name" ? wildcards[0]!.name : undefined;
}

/** With `*` for each name that stands once only: nothing else has to be equal to it. */
function withoutLoneNames(pattern: OverridePattern): OverridePattern {
  const { host, path, query } = pattern;
  const names = [...host, ...path, ...(query ?? [])].flatMap((part) =>
    part.flatMap((piece) => (piece.type === "name" ? [piece.name] : [])),
  );
  const once = (name: string) => names.indexOf(name) === names.lastIndexOf(name);
  const plain = (part: PatternPart): PatternPart =>
    part.map((piece) => (piece.type === "name" && once(piece.name) ? { type: "any" } : piece));
  return { ...pattern, host: host.map(plain), path: path.map(plain), query: query?.map(plain) };
}
