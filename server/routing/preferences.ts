import { nearest } from "../../shared/command_line/nearest.ts";
import { RelayFailure } from "../../shared/failures.ts";
import { quote } from "../../shared/printable.ts";
import { normalQuantization } from "./quantizations.ts";
import type { Preferences } from "./types.ts";

type JsonObject = Readonly<Record<string, unknown>>;
type Draft = { -readonly [Key in keyof Preferences]: Preferences[Key] };

/** Where a value stands, `provider.max_price`, and whom to tell of what is not understood there. */
interface Spot {
  readonly at: string;
  readonly warnings: string[];
}

type Reader<T> = (value: unknown, spot: Spot) => T | undefined;
type FieldReader = (draft: Draft, value: unknown, spot: Spot) => void;

/** More names than there are providers to choose from. */
const NAMES_MAX = 64;
const NAME_MAX_CHARS = 256;
/** As many as somebody reads. Each is at most some 150 characters. */
const WARNINGS_MAX = 8;

/**
 * OpenRouter's fields, by their names on the wire (its documentation of provider routing, 2026; `load` is ours).
 * `null`, which its typed clients send, and an empty list are the same as not given.
 */
const FIELDS: Readonly<Record<string, FieldReader>> = {
  only: into("only", names),
  ignore: into("ignore", names),
  order: into("order", names),
  allow_fallbacks: into("allowFallbacks", yesOrNo),
  sort: readSort,
  require_parameters: into("requireParameters", yesOrNo),
  data_collection: into("dataCollection", oneOf(["allow", "deny"])),
  zdr: into("zdr", yesOrNo),
  enforce_distillable_text: into("distillableText", yesOrNo),
  quantizations: into("quantizations", quantizations),
  max_price: into("maxPrice", partsOf(["prompt", "completion", "request", "image", "audio"], price)),
  preferred_min_throughput: into("minThroughput", cutoffs),
  preferred_max_latency: into("maxLatency", cutoffs),
};

/** The fields of `provider` that are understood. */
export const PREFERENCE_NAMES: readonly string[] = Object.keys(FIELDS);

/**
 * Reads a client's `provider` object. Members that nobody knows are warned about and do not fail the request: they
 * may be of a newer OpenRouter.
 * @throws RelayFailure `invalid_preference` when the value of a known one is of the wrong kind
 */
export function readPreferences(value: JsonObject): { preferences: Preferences; warnings: string[] } {
  const draft: Draft = {};
  const warnings: string[] = [];
  for (const [name, part, spot] of givenParts(value, PREFERENCE_NAMES, { at: "provider", warnings }))
    FIELDS[name]!(draft, part, spot);
  return { preferences: draft, warnings };
}

/** What is given of the known parts. Warns of the unknown ones. */
function givenParts<Name extends string>(
  object: JsonObject,
  known: readonly Name[],
  { at, warnings }: Spot,
): (readonly [Name, unknown, Spot])[] {
  for (const name of Object.keys(object)) {
    if (warnings.length >= WARNINGS_MAX) break;
    if (!(known as readonly string[]).includes(name)) warnings.push(unknownPart(at, name, known));
  }
  return known
    .filter((name) => Object.hasOwn(object, name) && object[name] !== null)
    .map((name) => [name, object[name], { at: `${at}.${name}`, warnings }]);
}

function unknownPart(at: string, name: string, known: readonly string[]): string {
  const short = name.slice(0, NAME_MAX_CHARS);
  const meant = nearest(short, known);
  return `${at} has an unknown member ${quote(short)}${meant ? `: did you mean ${quote(meant)}?` : ""}`;
}

function into<Key extends keyof Draft>(key: Key, read: Reader<NonNullable<Draft[Key]>>): FieldReader {
  return (draft, value, spot) => {
    const result = read(value, spot);
    if (result !== undefined) draft[key] = result;
  };
}

function names(value: unknown, spot: Spot): readonly string[] | undefined {
  if (!Array.isArray(value)) wrong(spot, "a list of names", value);
  if (value.length > NAMES_MAX) wrong(spot, `at most ${NAMES_MAX} names`, value.length);
  for (const name of value) {
    if (typeof name !== "string" || name === "") wrong(spot, "a list of names", name);
    if (name.length > NAME_MAX_CHARS)
      wrong(spot, `a list of names of at most ${NAME_MAX_CHARS} characters`, name);
  }
  return value.length > 0 ? [...new Set<string>(value)] : undefined;
}

function quantizations(value: unknown, spot: Spot): readonly string[] | undefined {
  const list = names(value, spot);
  return list && [...new Set(list.map(normalQuantization))];
}

function yesOrNo(value: unknown, spot: Spot): boolean {
  return typeof value === "boolean" ? value : wrong(spot, "true or false", value);
}

function oneOf<const Word extends string>(words: readonly Word[]): (value: unknown, spot: Spot) => Word {
  return (value, spot) =>
    words.find((word) => word === value) ?? wrong(spot, `one of ${words.join(", ")}`, value);
}

const sortKey = oneOf(["price", "throughput", "latency", "load", "exacto"]);
const partition = oneOf(["model", "none"]);

/** A word, or an object that may say more. */
function readSort(draft: Draft, value: unknown, spot: Spot): void {
  if (!isObject(value)) {
    draft.sort = sortKey(value, spot);
    return;
  }
  for (const [name, part, partSpot] of givenParts(value, ["by", "partition"], spot)) {
    if (name === "by") draft.sort = sortKey(part, partSpot);
    else draft.partition = partition(part, partSpot);
  }
}

/** An object of numbers; undefined when none of them is given. */
function partsOf<const Name extends string>(
  known: readonly Name[],
  read: (value: unknown, spot: Spot) => number,
): Reader<Partial<Record<Name, number>>> {
  return (value, spot) => {
    if (!isObject(value)) wrong(spot, `an object of ${known.join(", ")}`, value);
    const parts: Partial<Record<Name, number>> = {};
    for (const [name, part, partSpot] of givenParts(value, known, spot)) parts[name] = read(part, partSpot);
    return Object.keys(parts).length > 0 ? parts : undefined;
  };
}

/** OpenRouter's SDK sends prices as texts. */
function price(value: unknown, spot: Spot): number {
  const isNumeric = typeof value === "string" && /^(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(value);
  const number = isNumeric ? Number(value) : value;
  return isAmount(number) ? number : wrong(spot, "a number from 0", value);
}

function amount(value: unknown, spot: Spot): number {
  return isAmount(value) ? value : wrong(spot, "a number from 0", value);
}

function isAmount(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value < Number.POSITIVE_INFINITY;
}

const percentiles = partsOf(["p50", "p75", "p90", "p99"], amount);

/** A number alone is the median. */
function cutoffs(value: unknown, spot: Spot) {
  return isObject(value) ? percentiles(value, spot) : { p50: amount(value, spot) };
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function wrong({ at }: Spot, wanted: string, found: unknown): never {
  throw new RelayFailure("invalid_preference", {
    detail: `${at} must be ${wanted}, found ${described(found)}`,
    param: at,
  });
}

/** Never a whole object: it may be as deep as the client likes. */
function described(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (isObject(value)) return "an object";
  return typeof value === "number" ? String(value) : quote(value);
}
