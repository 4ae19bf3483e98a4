import { dirname, resolve } from "node:path";
import { parse, TomlError } from "smol-toml";
import { CommandError } from "../command_line/command_error.ts";
import { nearest } from "../command_line/nearest.ts";
import type { Setting } from "./describe.ts";

/** A settings file, its keys known to be settings. */
export interface SettingsFile {
  readonly path: string;
  /** Where relative paths in it start from. */
  readonly folder: string;
  readonly text: string;
  readonly values: Readonly<Record<string, unknown>>;
  readonly warnings: readonly string[];
}

interface FileOptions {
  settings: readonly Setting[];
  readText(path: string): string;
  /** ModelRelay has such a file too: one that carries only its keys may hold others, which it ignores. */
  modelRelay: boolean;
}

/** Read a TOML file of settings. @throws CommandError when it cannot be read or has a key that is no setting */
export function readSettingsFile(
  path: string,
  { settings, readText, modelRelay }: FileOptions,
): SettingsFile {
  const text = readText(path);
  const values = parseToml(path, text);
  const known = new Map(settings.flatMap((setting) => tomlKeys(setting).map((key) => [key, setting])));
  const unknown = Object.keys(values).filter((key) => !known.has(key));
  const own = Object.keys(values).filter((key) => known.has(key));
  const lenient = modelRelay && own.length > 0 && own.every((key) => known.get(key)?.modelRelay);
  const complaints = unknown.map((key) => ({ key, meant: nearest(key, known.keys()) }));
  if (complaints[0] && !lenient) throw unknownKey(path, complaints[0].key, complaints[0].meant);
  const warnings = complaints.map(
    ({ key, meant }) =>
      `${path}: there is no setting "${key}"${meant ? `, the nearest is ${meant}` : ""}; ignored`,
  );
  return { path, folder: dirname(resolve(path)), text, values, warnings };
}

/** The keys under which a file may hold a setting. */
export function tomlKeys({ tomlKey, kind }: Setting): string[] {
  return kind.secret ? [tomlKey, `${tomlKey}_file`] : [tomlKey];
}

/** Parse TOML that came from `path`. @throws CommandError with the line and column */
export function parseToml(path: string, text: string): Record<string, unknown> {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // The library's message goes on with an excerpt, which may show a secret.
    const reason = error.message.split("\n")[0]?.replace(/^Invalid TOML document: /, "");
    throw new CommandError(
      `Cannot read ${path}: line ${error.line}, column ${error.column}: ${reason}`,
      'TOML is lines of key = value, with texts in double quotes: provider = "home"',
    );
  }
}

function unknownKey(path: string, key: string, meant: string | undefined): CommandError {
  return new CommandError(
    `Cannot read ${path}: there is no setting "${key}"`,
    meant ? `the nearest is ${meant}` : "--help lists the settings; in a file write _ for -",
  );
}
