import type { z } from "zod";
import { CommandError } from "../command_line/command_error.ts";
import { nearest } from "../command_line/nearest.ts";
import { describe, type Setting, type SettingsSchema } from "./describe.ts";
import { Misread, type Spot } from "./field.ts";
import { type Found, findValue, type Origin, type Sources } from "./origins.ts";
import { readSettingsFile, type SettingsFile } from "./settings_file.ts";

/** Settings, and how they came about. */
export interface Loaded<Values> {
  readonly settings: Values;
  /** By property. */
  readonly origins: ReadonlyMap<string, Origin>;
  /** What is to be told, though it does not keep the program from starting. */
  readonly warnings: readonly string[];
}

export interface LoadOptions extends Sources {
  /** A file with only ModelRelay's keys may hold unknown ones: they warn. */
  readonly modelRelayFile?: boolean;
}

/** What came of reading settings: they, or all that is wrong with them. */
export type Inspected<Values> =
  | { readonly loaded: Loaded<Values>; readonly mistakes?: undefined }
  | { readonly mistakes: readonly CommandError[] };

/**
 * Read the settings of a command: flag before environment before credential before `--config` file before
 * default. A path in the file starts from the file's folder.
 *
 * @throws CommandError for what cannot be read, naming where it was written and how to write it
 */
export function load<Schema extends SettingsSchema>(
  schema: Schema,
  options: LoadOptions,
): Loaded<z.output<Schema>> {
  const inspected = inspect(schema, options);
  if (inspected.mistakes) throw inspected.mistakes[0]!;
  return inspected.loaded;
}

/** The same for who wants to hear of every mistake. What one setting means for another is judged when each can be read. */
export function inspect<Schema extends SettingsSchema>(
  schema: Schema,
  options: LoadOptions,
): Inspected<z.output<Schema>> {
  const mistakes: CommandError[] = [];
  const settings = describe(schema);
  const file = collecting(mistakes, () => openFile(settings, options));
  if (file) mistakes.push(...file.mistakes);
  const found = new Map<string, Found>();
  for (const setting of settings) {
    const value = collecting(mistakes, () => findValue(setting, options, file));
    if (value) found.set(setting.property, value);
  }
  const { data, error } = schema.safeParse(
    Object.fromEntries([...found].map(([property, { raw }]) => [property, raw])),
  );
  // With some missing, what one setting means for another cannot be judged.
  const issues = error?.issues.filter((issue) => mistakes.length === 0 || !hintOf(issue).hint) ?? [];
  mistakes.push(...issues.map((issue) => complaint(issue, settings, found)));
  if (mistakes.length > 0 || !data) return { mistakes };
  const values = { ...data };
  for (const setting of settings)
    collecting(mistakes, () => settle(values, setting, { settings, found, options }));
  if (mistakes.length > 0) return { mistakes };
  const origins = new Map(settings.map(({ property }) => [property, found.get(property)?.origin ?? DEFAULT]));
  const warnings = [...(file?.warnings ?? []), ...warnAbout(settings, found, options.env)];
  return { loaded: { settings: values as z.output<Schema>, origins, warnings } };
}

/** What `act` gives; undefined when somebody made a mistake, which is then among the others. */
function collecting<T>(mistakes: CommandError[], act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    mistakes.push(error);
    return undefined;
  }
}

const DEFAULT: Origin = { label: "default" };

function openFile(settings: readonly Setting[], options: LoadOptions): SettingsFile | undefined {
  const path = options.flags.get("config")?.[0] ?? (options.env.SIGNALBOX_CONFIG || undefined);
  if (path === undefined) return undefined;
  return readSettingsFile(path, {
    settings,
    readText: options.readText,
    modelRelay: options.modelRelayFile ?? false,
  });
}

interface Reading {
  settings: readonly Setting[];
  found: ReadonlyMap<string, Found>;
  options: LoadOptions;
}

/** Put in place of a value what it means where it was written. */
function settle(
  values: Record<string, unknown>,
  { property, kind }: Setting,
  { settings, found, options: { env, readText } }: Reading,
): void {
  const written = found.get(property);
  if (!kind.settle || !written) return;
  try {
    values[property] = kind.settle(values[property], { folder: written.origin.folder ?? "", env, readText });
  } catch (error) {
    if (!(error instanceof Misread)) throw error;
    const message = `${error.shown} ${error.phrase}`;
    throw complaint(
      { code: "custom", path: [property], message, params: { spot: error.spot } },
      settings,
      found,
    );
  }
}

/** A kind says `"soon" is not a duration`; a check of several settings together brings a hint of its own. */
function complaint(
  issue: z.core.$ZodIssue,
  settings: readonly Setting[],
  found: ReadonlyMap<string, Found>,
): CommandError {
  const setting = settings.find(({ property }) => property === issue.path[0]);
  const origin = found.get(String(issue.path[0]))?.origin;
  const { hint, spot } = hintOf(issue);
  const label =
    (spot && origin?.placeOf?.(spot)) ?? (origin ? lineLabel(origin) : setting?.flag) ?? "the settings";
  return hint
    ? new CommandError(`Cannot use ${label}: ${issue.message}`, hint)
    : new CommandError(`Cannot read ${label}: ${issue.message}`, setting?.kind.hint);
}

/** A `hint` of its own comes with a check of several settings, a `spot` with what is inside of one. */
function hintOf(issue: z.core.$ZodIssue): { hint?: string; spot?: Spot } {
  return ("params" in issue ? issue.params : undefined) ?? {};
}

/** `--listen`, or `listen in relay.toml, line 3` */
function lineLabel({ label, line }: Origin): string {
  return line === undefined ? label : `${label}, line ${line}`;
}

function warnAbout(
  settings: readonly Setting[],
  found: ReadonlyMap<string, Found>,
  env: Sources["env"],
): string[] {
  const visible = settings.filter(
    ({ property, kind, flag }) => kind.secret && found.get(property)?.origin.label === flag,
  );
  return [
    ...visible.map(
      ({ flag, variables }) =>
        `${flag} can be seen in the list of processes: use ${flag}-file or the variable ${variables.at(-1)}`,
    ),
    ...misspeltVariables(settings, env),
  ];
}

/** A variable of ours that is no setting of this command may be another command's: only a near miss is told. */
function misspeltVariables(settings: readonly Setting[], env: Sources["env"]): string[] {
  const known = new Set(settings.flatMap(({ variables, kind }) => withFiles(variables, kind.secret)));
  known.add("SIGNALBOX_CONFIG");
  return Object.keys(env)
    .filter((variable) => variable.startsWith("SIGNALBOX_") && !known.has(variable))
    .flatMap((variable) => {
      const meant = nearest(variable.slice("SIGNALBOX_".length), [...known].map(withoutPrefix));
      return meant ? [`there is no setting ${variable}, the nearest is SIGNALBOX_${meant}; ignored`] : [];
    });
}

function withFiles(variables: readonly string[], secret = false): string[] {
  return secret ? variables.flatMap((variable) => [variable, `${variable}_FILE`]) : [...variables];
}

function withoutPrefix(variable: string): string {
  return variable.replace(/^SIGNALBOX_/, "");
}
