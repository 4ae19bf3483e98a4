import { dirname, resolve } from "node:path";
import { parse, TomlError } from "smol-toml";
import { CommandError } from "../command_line/command_error.ts";
import { nearest } from "../command_line/nearest.ts";
import type { Setting } from "./describe.ts";
import { lineOfKey } from "./key_lines.ts";

/** A settings file, its keys known to be settings. */
export interface SettingsFile {
  readonly path: string;
  /** Where relative paths in it start from. */
  readonly folder: string;
  readonly text: string;
  readonly values: Readonly<Record<string, unknown>>;
  readonly warnings: readonly string[];
  /** Keys that are no settings. */
  readonly mistakes: readonly CommandError[];
}

interface FileOptions {
  settings: readonly Setting[];
  readText(path: string): string;
  /** ModelRelay has such a file too: one that carries only its keys may hold others, which it ignores. */
  modelRelay: boolean;
}

/** Read a TOML file of settings. @throws CommandError when it cannot be read */
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
  const slips = unknown.map((key) => ({
    key,
    meant: nearest(key, known.keys()),
    line: lineOfKey(text, [key]),
  }));
  const warnings = slips.map(
    ({ key, meant }) =>
      `${path}: there is no setting "${key}"${meant ? `, the nearest is ${meant}` : ""}; ignored`,
  );
  return {
    ...{ path, folder: dirname(resolve(path)), text, values },
    ...(lenient
      ? { warnings, mistakes: [] }
      : { warnings: [], mistakes: slips.map((slip) => unknownKey(path, slip)) }),
  };
}

/** The keys under which a file may hold a setting. */
function tomlKeys({ tomlKey, kind }: Setting): string[] {
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

interface Slip {
  key: string;
  meant: string | undefined;
  line: number | undefined;
}

function unknownKey(path: string, { key, meant, line }: Slip): CommandError {
  return new CommandError(
    `Cannot read ${path}: ${line === undefined ? "" : `line ${line}: `}there is no setting "${key}"`,
    meant ? `the nearest is ${meant}` : "--help lists the settings; in a file write _ for -",
  );
}
