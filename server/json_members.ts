import { JsonScanner, type Member } from "./json_scanner.ts";

export type { Member } from "./json_scanner.ts";

/** Where something stands: from its first byte to behind its last. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Members of a JSON object, found in its bytes. */
export interface FoundMembers {
  /** The wanted ones, in their order: a name may come more than once. */
  readonly wanted: ReadonlyMap<string, readonly Member[]>;
  /** The first of all others. */
  readonly others: readonly Member[];
  /** The bytes are one JSON object and nothing else. False: what was found stood before the fault or the end. */
  readonly whole: boolean;
}

/** A request has a dozen parameters. Nobody is helped by having each of a hundred thousand looked at. */
export const OTHERS_MAX = 256;

/**
 * Finds members of a JSON object in its bytes, without building the rest: routing wants a few short members of a
 * body that may be a megabyte of messages, and now and then to change or cut one.
 *
 * `whole` is true exactly when `JSON.parse` takes the bytes' decoding and gives an object (RFC 8259; a byte order
 * mark is skipped; invalid UTF-8 within strings passes, as it decodes to U+FFFD).
 */
export function findMembers(bytes: Uint8Array, names: readonly string[]): FoundMembers {
  const wanted = new Map<string, Member[]>();
  const others: Member[] = [];
  const whole = new JsonScanner(bytes).object((member) => {
    const name = nameIn(bytes, member, names);
    if (name === undefined) {
      // One more than the limit, so that it is seen to be exceeded.
      if (others.length <= OTHERS_MAX) others.push(member);
      return;
    }
    const before = wanted.get(name);
    if (before) before.push(member);
    else wanted.set(name, [member]);
  });
  return { wanted, others, whole };
}

/** What a JSON body says in the members that were asked for. */
export interface JsonMembers {
  /** The value of a wanted member; undefined when it is not there. Of a name that comes twice the last, as in `JSON.parse`. */
  value(name: string): unknown;
  /** Names of the other members whose value is not `null`; undefined: there are more than `OTHERS_MAX` others. */
  otherNames(): string[] | undefined;
  /** Where the wanted ones stand; undefined: nobody had to look. */
  readonly places: FoundMembers["wanted"] | undefined;
}

/** Up to here building all and throwing it away is cheaper than walking: at 1 kB by a factor of three on Bun. */
const PARSE_MAX_BYTES = 4096;

/**
 * Reads wanted members, by whichever way costs less; either goes over the bytes once. `complete`: these bytes are
 * all; undefined when they are not one JSON object. Otherwise they are the beginning, and what is found is what is
 * complete in them.
 */
export function readMembers(
  bytes: Uint8Array,
  names: readonly string[],
  complete: boolean,
): JsonMembers | undefined {
  if (complete && bytes.length <= PARSE_MAX_BYTES) return parsedMembers(bytes, names);
  const found = findMembers(bytes, names);
  return found.whole || !complete ? walkedMembers(bytes, found) : undefined;
}

function parsedMembers(bytes: Uint8Array, names: readonly string[]): JsonMembers | undefined {
  const object = parsedObject(bytes);
  return (
    object && {
      value: (name) => (Object.hasOwn(object, name) ? object[name] : undefined),
      otherNames: () => {
        const others = Object.keys(object).filter((name) => !names.includes(name));
        return others.length > OTHERS_MAX ? undefined : others.filter((name) => object[name] !== null);
      },
      places: undefined,
    }
  );
}

function walkedMembers(bytes: Uint8Array, { wanted, others }: FoundMembers): JsonMembers {
  const values = new Map<string, unknown>();
  for (const [name, members] of wanted) values.set(name, valueAt(bytes, members.at(-1)!));
  return {
    value: (name) => values.get(name),
    otherNames: () => {
      if (others.length > OTHERS_MAX) return undefined;
      const isNull = new Map(
        others.map((member) => [nameOf(bytes, member), bytes[member.start] === LOWER_N]),
      );
      return [...isNull.keys()].filter((name) => !isNull.get(name));
    },
    places: wanted,
  };
}

function parsedObject(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(decoder.decode(bytes));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A name or value. Only for spans of `findMembers` over the same bytes. */
export function valueAt(bytes: Uint8Array, { start, end }: Span): unknown {
  return JSON.parse(decoder.decode(bytes.subarray(start, end)));
}

function nameOf(bytes: Uint8Array, { nameStart, nameEnd }: Member): string {
  return valueAt(bytes, { start: nameStart, end: nameEnd }) as string;
}

const decoder = new TextDecoder();

const BACKSLASH = 0x5c;
/** Of the values only `null` begins with it. */
const LOWER_N = 0x6e;

/** Which of the names stands there, quoted and perhaps with escapes. */
function nameIn(bytes: Uint8Array, member: Member, names: readonly string[]): string | undefined {
  const { nameStart, nameEnd } = member;
  const length = nameEnd - nameStart - 2;
  for (const name of names) if (name.length === length && isAscii(bytes, name, nameStart + 1)) return name;
  for (let at = nameStart + 1; at < nameEnd; at++) {
    if (bytes[at] !== BACKSLASH) continue;
    const name = nameOf(bytes, member);
    return names.find((wanted) => wanted === name);
  }
  return undefined;
}

function isAscii(bytes: Uint8Array, text: string, from: number): boolean {
  for (let at = 0; at < text.length; at++) if (bytes[from + at] !== text.charCodeAt(at)) return false;
  return true;
}
