import { type Kind, kindOf, Misread } from "./field.ts";

/**
 * Durations, sizes, counts and prices. Where 0 means "no limit" the value read is `Infinity`, so that a comparison is
 * right without a special case; a timer of `Infinity` is never to be set.
 */

/** `setTimeout` takes 31 bits of milliseconds, 24.8 days; a longer wait would fire at once. */
const LONGEST_MS = 24 * 86_400_000;

/** The longest suffix first: "ms" ends in "s". */
const DURATION_UNITS: readonly (readonly [suffix: string, ms: number])[] = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
  ["ms", 1],
];

const SIZE_UNITS: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ["b", 1],
  ["kb", 1e3],
  ["mb", 1e6],
  ["gb", 1e9],
  ["tb", 1e12],
  ["kib", 2 ** 10],
  ["mib", 2 ** 20],
  ["gib", 2 ** 30],
  ["tib", 2 ** 40],
]);

/** Milliseconds. A bare number is seconds, as in ModelRelay. */
export const duration: Kind<number> = kindOf({
  placeholder: "DURATION",
  hint: "write 250ms, 30s or 2m; a bare number is seconds",
  read: readDuration,
  print: printDuration,
});

/** Milliseconds, at least one. */
export const positiveDuration: Kind<number> = kindOf({
  placeholder: "DURATION",
  hint: "write 250ms, 30s or 2m; a bare number is seconds",
  read: (raw) => readDuration(raw) || misread("is not longer than 0"),
  print: printDuration,
});

/** Milliseconds; 0 is no limit and becomes `Infinity`. */
export const durationOrNone: Kind<number> = kindOf({
  placeholder: "DURATION",
  hint: "write 250ms, 30s or 2m; a bare number is seconds, 0 is no limit",
  read: (raw) => readDuration(raw) || Number.POSITIVE_INFINITY,
  print: printDuration,
});

/** Bytes. */
export const size: Kind<number> = kindOf({
  placeholder: "SIZE",
  hint: "write 500KB, 64MiB or 4GiB; a bare number is bytes",
  read: readSize,
  print: printSize,
});

/** A whole number from 1. */
export const count: Kind<number> = kindOf({
  placeholder: "NUMBER",
  hint: "write a whole number from 1",
  read: (raw) => readCount(raw) || misread("is not a number from 1"),
  print: (value) => value,
});

/** A whole number; 0 is no limit and becomes `Infinity`. */
export const countOrNone: Kind<number> = kindOf({
  placeholder: "NUMBER",
  hint: "write a whole number, 0 is no limit",
  read: (raw) => readCount(raw) || Number.POSITIVE_INFINITY,
  print: (value) => (value === Number.POSITIVE_INFINITY ? 0 : value),
});

/** US dollars. */
export const usd: Kind<number> = kindOf({
  placeholder: "USD",
  hint: "write 0.15, in US dollars",
  read(raw) {
    const value = /^\d+(\.\d+)?(e-?\d+)?$/.test(textOf(raw)) ? Number(textOf(raw)) : Number.NaN;
    return Number.isFinite(value) ? value : misread("is not a price from 0");
  },
  print: (value) => value,
});

function readDuration(raw: unknown): number {
  const [, digits, unit] =
    /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|)$/.exec(textOf(raw)) ?? misread("is not a duration");
  const factor = DURATION_UNITS.find(([suffix]) => suffix === (unit || "s"))?.[1] ?? Number.NaN;
  const ms = Math.round(Number(digits) * factor);
  // 0.1ms is not "no limit".
  if (ms === 0 && Number(digits) !== 0) misread("is shorter than a millisecond");
  return ms <= LONGEST_MS ? ms : misread("is longer than 24d");
}

/** The largest unit that gives a whole number. */
export function printDuration(ms: number): string {
  if (ms === 0 || ms === Number.POSITIVE_INFINITY) return "0";
  const [suffix, factor] = DURATION_UNITS.find(([, factor]) => ms % factor === 0) ?? ["ms", 1];
  return `${ms / factor}${suffix}`;
}

function readSize(raw: unknown): number {
  const [, digits, unit = ""] =
    /^(\d+(?:\.\d+)?)\s*([a-z]*)$/.exec(textOf(raw).toLowerCase()) ?? misread("is not a size");
  const factor = SIZE_UNITS.get(unit) ?? misread("is not a size");
  const bytes = Math.round(Number(digits) * factor);
  return Number.isSafeInteger(bytes) ? bytes : misread("is too large");
}

/** In binary units as long as the number stays whole. */
export function printSize(bytes: number): string {
  const units = ["GiB", "MiB", "KiB", ""].map((unit) => [unit, SIZE_UNITS.get(unit.toLowerCase())!] as const);
  const [unit, factor] = units.find(([, factor]) => bytes >= factor && bytes % factor === 0) ?? ["", 1];
  return `${bytes / factor}${unit}`;
}

function readCount(raw: unknown): number {
  const value = /^\d+$/.test(textOf(raw)) ? Number(textOf(raw)) : Number.NaN;
  return Number.isSafeInteger(value) ? value : misread("is not a whole number");
}

/** TOML gives numbers, everything else texts. */
function textOf(raw: unknown): string {
  return typeof raw === "string" || typeof raw === "number" ? String(raw).trim() : "";
}

function misread(phrase: string): never {
  throw new Misread(phrase);
}
