/** How one log line looks, as text (logfmt) or JSON. Whatever a client wrote stays on its line. */

import { printable } from "./printable.ts";

/** Fields of a line, in the order they are shown; undefined ones are left out. */
export type LogFields = Readonly<Record<string, unknown>>;

export interface LogEvent {
  timeMs: number;
  level: string;
  message: string;
  fields: LogFields;
}

export type Formatter = (event: LogEvent) => string;

const REDACTED = "[redacted]";
const SECRET_KEY = /secret|token$|authorization|password|api_?key|cookie|credential/i;

/** Texts that need no quotes. */
const PLAIN = /^[\w./:@*+~%-]+$/;

export const textLine: Formatter = ({ timeMs, level, message, fields }) => {
  let line = `${new Date(timeMs).toISOString()} ${level.toUpperCase().padEnd(5)} ${printable(message)}`;
  for (const key in fields) {
    const value = shown(key, fields[key]);
    if (value !== undefined) line += ` ${key}=${textOf(value)}`;
  }
  return `${line}\n`;
};

export const jsonLine: Formatter = ({ timeMs, level, message, fields }) => {
  const line: Record<string, unknown> = { time: new Date(timeMs).toISOString(), level, message };
  // A field called "level" does not replace the level.
  for (const key in fields) line[key in line ? `${key}_` : key] = shown(key, fields[key]);
  return `${printable(stringify(line))}\n`;
};

function shown(key: string, value: unknown): unknown {
  if (typeof value === "number" || value === undefined) return value;
  if (isSecretKey(key)) return REDACTED;
  return value instanceof Error ? describeError(value) : value;
}

/** Names of fields are constants of the program: few, and asked for all the time. */
const secretKeys = new Map<string, boolean>();

function isSecretKey(key: string): boolean {
  const known = secretKeys.get(key);
  if (known !== undefined) return known;
  const secret = SECRET_KEY.test(key);
  if (secretKeys.size < 1000) secretKeys.set(key, secret);
  return secret;
}

/** An error with its causes. A stack belongs to what nobody expected: the plain `Error` classes of the language. */
function describeError(error: Error, depth = 0): string {
  const unexpected = /^(Type|Range|Reference|Syntax|Eval)?Error$/.test(error.name) && error.stack;
  const own = unexpected ? String(error.stack) : `${error.name}: ${error.message}`;
  const causes =
    error.cause instanceof Error && depth < 4 ? `; caused by ${describeError(error.cause, depth + 1)}` : "";
  return own + causes;
}

function textOf(value: unknown): string {
  if (typeof value === "number" || typeof value === "boolean") return `${value}`;
  if (typeof value === "string" && PLAIN.test(value)) return value;
  return printable(stringify(value));
}

/** A value that cannot be printed must not take down what it was to be logged about. */
function stringify(value: unknown): string {
  try {
    return JSON.stringify(value) ?? "null";
  } catch {
    return '"[unprintable]"';
  }
}
