import { z } from "zod";
import { quote } from "../printable.ts";
import type { KeyPath } from "./key_lines.ts";

/**
 * A setting is declared once: a property of a zod object, made by `field`. Its flag, environment variable, file
 * key, help line, row in the manual and redaction all come from that declaration (`describe.ts`).
 */

/** What one writes down about a setting. */
export interface FieldInfo {
  /** One sentence without a full stop: what it does, and what 0 or "unset" leads to. */
  says: string;
  /** Heading in `--help` and in the manual. */
  group: string;
  /** As one would write it on the command line. */
  default?: string;
  /** The name, where it is not the property in kebab case without its `Ms` or `Bytes`. */
  key?: string;
  /** ModelRelay's environment variables, the stronger first. `SIGNALBOX_<KEY>` beats them all. */
  env?: readonly string[];
  /** It is about a single run: no variable, which would be there for another command too. */
  flagOnly?: boolean;
  /** What those variables mean in our words; undefined: nothing, as if they were not set. */
  readEnv?: (text: string) => string | undefined;
  /** ModelRelay has this setting: its flag, and in a worker's file its key. */
  modelRelay?: boolean;
}

/** A way to read and print values: what `field` combines with a `FieldInfo`. */
export interface Kind<T> {
  /** What stands behind the flag in `--help`: `DURATION`. Empty: the flag alone is enough. */
  readonly placeholder: string;
  /** The hint that goes with a value that cannot be read. */
  readonly hint: string;
  /** Several values: written as a comma list, or (secrets may hold commas) one value for each flag. */
  readonly several?: "comma" | "repeat";
  /** Never printed, also readable from a file of its own, and warned about on a command line. */
  readonly secret?: boolean;
  /** The words that it can be, where they are few. */
  readonly choices?: readonly string[];
  /** A path: written in a settings file it starts from that file's folder. */
  readonly path?: boolean;
  readonly codec: z.ZodType<T, unknown>;
  /**
   * Once all settings are read: what the value means where it was written. Paths in it start from there, and what it
   * names must be there.
   * @throws Misread
   */
  settle?(value: T, place: Place): T;
}

/** Where a value was written, and what can be found from there. */
export interface Place {
  /** That relative paths start from. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A whole text file. @throws CommandError */
  readText(path: string): string;
}

/** What in a table is to blame. */
export interface Spot {
  /** From the setting's own key on. */
  readonly key: KeyPath;
  /** Of a list: the text that is to blame, which may have a line of its own. */
  readonly text?: string;
}

/** A declared setting as the registry keeps it. */
export interface RegisteredField extends FieldInfo {
  readonly kind: Kind<unknown>;
}

/** Every declared setting, by its zod schema. (zod's own registry would rewrite the type of `kind`.) */
export const registeredFields = new WeakMap<object, RegisteredField>();

/** A setting with a default. */
export function field<T>(kind: Kind<T>, info: FieldInfo & { default: string }): z.ZodType<T, unknown> {
  const none = kind.several && info.default === "";
  const fallback = none ? [] : kind.several ? splitValues(kind, info.default) : info.default;
  return register(z.prefault(kind.codec, fallback), { ...info, kind });
}

/** A setting that may be left out. */
export function optionalField<T>(kind: Kind<T>, info: FieldInfo): z.ZodOptional<z.ZodType<T, unknown>> {
  return register(z.optional(kind.codec), { ...info, kind });
}

function register<Schema extends z.ZodType>(schema: Schema, info: RegisteredField): Schema {
  registeredFields.set(schema, info);
  return schema;
}

/** One text of a flag, variable or default as the values that a setting of several takes. */
export function splitValues(kind: Kind<unknown>, text: string): string[] {
  return kind.several === "repeat" ? [text] : text.split(",");
}

/** Thrown by a kind's `read`. `phrase` continues the value: `is not a duration`. */
export class Misread extends Error {
  override readonly name = "Misread";
  constructor(
    readonly phrase: string,
    /** What to show in place of the value: it may hold something secret, or be one of a list. */
    readonly shown?: string,
    readonly spot?: Spot,
  ) {
    super(phrase);
  }
}

interface KindOptions<T> extends Omit<Kind<T>, "codec"> {
  /** From what flags and variables (texts) and TOML (any value) hold. @throws Misread */
  read(raw: unknown): T;
  /** The value as one would write it in a TOML file. */
  print(value: T): unknown;
}

/** Make a kind out of a reader and a printer. */
export function kindOf<T>({ read, print, ...kind }: KindOptions<T>): Kind<T> {
  const decode = (raw: unknown, context: { issues: unknown[] }) => {
    try {
      return read(raw);
    } catch (error) {
      if (!(error instanceof Misread)) throw error;
      const shown = error.shown ?? (kind.secret ? "the value" : quote(raw));
      const message = `${shown} ${error.phrase}`;
      context.issues.push({ code: "custom", input: raw, message, params: { spot: error.spot } });
      return z.NEVER;
    }
  };
  return { ...kind, codec: z.codec(z.unknown(), z.custom<T>(), { decode, encode: print }) };
}
