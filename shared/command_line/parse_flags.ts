import { parseArgs } from "node:util";
import { quote } from "../printable.ts";
import { CommandError } from "./command_error.ts";
import { nearest } from "./nearest.ts";

/** A flag that a command takes. */
export interface FlagSpec {
  /** Without dashes. */
  readonly name: string;
  /** What stands behind it in messages; empty: it takes no value. */
  readonly placeholder: string;
  /** May be given more than once. */
  readonly several?: boolean;
  /** One letter. */
  readonly short?: string;
}

export interface ParsedFlags {
  /** The texts of each flag given; "true" or "false" for those without a value. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly rest: readonly string[];
}

/** Take flags apart. @throws CommandError for an unknown flag, a missing value, or one given twice */
export function parseFlags(args: readonly string[], specs: readonly FlagSpec[]): ParsedFlags {
  const options = Object.fromEntries(
    specs.map(({ name, placeholder, short }) => [
      name,
      { type: placeholder ? ("string" as const) : ("boolean" as const), ...(short && { short }) },
    ]),
  );
  const { tokens } = parseArgs({
    args: [...args],
    options,
    strict: false,
    tokens: true,
    allowPositionals: true,
  });
  const values = new Map<string, string[]>();
  const rest: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") rest.push(token.value);
    if (token.kind !== "option") continue;
    const [spec, text] = readToken(token, specs);
    const texts = values.get(spec.name) ?? [];
    if (texts.length > 0 && !spec.several) {
      throw new CommandError(`Cannot use --${spec.name} twice`, "leave one of them out");
    }
    values.set(spec.name, [...texts, text]);
  }
  return { values, rest };
}

interface OptionToken {
  name: string;
  rawName: string;
  value?: string | undefined;
  inlineValue?: boolean | undefined;
}

function readToken(token: OptionToken, specs: readonly FlagSpec[]): [FlagSpec, string] {
  const { name, rawName, value, inlineValue } = token;
  const spec = specs.find((candidate) => candidate.name === name);
  if (!spec) {
    const negated = specs.find((candidate) => `no-${candidate.name}` === name && !candidate.placeholder);
    if (negated && value === undefined) return [negated, "false"];
    throw unknownFlag(rawName, specs);
  }
  if (!spec.placeholder) return [spec, value ?? "true"];
  if (value === undefined) throw needsValue(spec, "found nothing");
  if (!inlineValue && value.startsWith("-") && value !== "-")
    throw needsValue(spec, `found ${quote(value)}`, value);
  return [spec, value];
}

function needsValue({ name, placeholder }: FlagSpec, found: string, value?: string): CommandError {
  const hint =
    value === undefined ? `write --${name} ${placeholder}` : `write --${name}=${value} if that is the value`;
  return new CommandError(`Cannot read --${name}: wanted a value, ${found}`, hint);
}

function unknownFlag(rawName: string, specs: readonly FlagSpec[]): CommandError {
  const meant = nearest(
    rawName.replace(/^-+/, ""),
    specs.map(({ name }) => name),
  );
  return new CommandError(
    `Cannot use ${quote(rawName)}: there is no such flag`,
    meant ? `did you mean --${meant}?` : "--help lists the flags",
  );
}
