import type { z } from "zod";
import { LinkProtocolError } from "./events.ts";

/** ModelRelay takes messages of 64 MiB; a UTF-16 unit is at least one byte of UTF-8, so none of those is longer. */
export const MAX_TEXT_UNITS = 64 * 1024 * 1024;

/** A message without a body; a list of 1024 models of 256 characters fits. */
export const MAX_CONTROL_TEXT_UNITS = 1024 * 1024;

/**
 * Values in a message that is longer than that: a body is one string. 64 MiB of `[` would keep JSON.parse busy for
 * ten seconds.
 */
const MAX_LONG_TEXT_VALUES = 64 * 1024;

/** Messages that belong to an exchange; two of them carry bodies. */
export const EXCHANGE_TYPES = ["request", "response_chunk", "response_complete", "cancel"] as const;

type Schemas = Record<string, z.ZodType<{ type: string }>>;
export type MessageOf<S extends Schemas> = z.infer<S[keyof S]>;

/** Read one message, by the schema that stands under its type. @throws LinkProtocolError when it is none. */
export function readMessage<S extends Schemas>(text: string, schemas: S, sender: string): MessageOf<S> {
  if (text.length > MAX_TEXT_UNITS) throw tooLong("message", text.length, MAX_TEXT_UNITS);
  if (text.length > MAX_CONTROL_TEXT_UNITS && hasManyValues(text)) {
    throw new LinkProtocolError(
      `Cannot read a message of the ${sender}: at most ${MAX_LONG_TEXT_VALUES} values may stand in a long one`,
    );
  }
  const value = parseJson(text, sender);
  const type = (value as { type?: unknown } | null)?.type;
  const schema = typeof type === "string" && Object.hasOwn(schemas, type) ? schemas[type] : undefined;
  if (!schema) {
    const found = typeof type === "string" ? JSON.stringify(type.slice(0, 40)) : typeof type;
    throw new LinkProtocolError(
      `Cannot read a message of the ${sender}: its type must be one that it sends: ${found}`,
    );
  }
  if (text.length > MAX_CONTROL_TEXT_UNITS && !(EXCHANGE_TYPES as readonly string[]).includes(type as string))
    throw tooLong(`${type}`, text.length, MAX_CONTROL_TEXT_UNITS);
  const result = schema.safeParse(value);
  if (result.success) return result.data as MessageOf<S>;
  const { path, message } = result.error.issues[0]!;
  const sentence = `${path.join(".").slice(0, 80)}: ${message.replace("Invalid input: ", "").slice(0, 160)}`;
  throw new LinkProtocolError(`Cannot read a ${type} of the ${sender}: ${sentence}`);
}

function parseJson(text: string, sender: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    // Also a RangeError: lists nested deeper than the stack.
    throw new LinkProtocolError(`Cannot read a message of the ${sender}: it must be JSON`, { cause });
  }
}

/** Every value but one comes after a comma or a bracket that is not in a string. */
function hasManyValues(text: string): boolean {
  let separators = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === 0x22) at = closingQuote(text, at + 1);
    else if (unit === 0x2c || unit === 0x5b || unit === 0x7b) separators++;
  }
  return separators > MAX_LONG_TEXT_VALUES;
}

function closingQuote(text: string, start: number): number {
  for (let at = start; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === 0x22) return at;
    if (unit === 0x5c) at++;
  }
  return text.length;
}

function tooLong(what: string, found: number, limit: number): LinkProtocolError {
  return new LinkProtocolError(
    `Cannot read a ${what}: at most ${limit} characters are taken: found ${found}`,
  );
}
