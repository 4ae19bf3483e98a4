import { resolve } from "node:path";
import { CommandError } from "../command_line/command_error.ts";
import type { Setting } from "./describe.ts";
import { type Spot, splitValues } from "./field.ts";
import { lineOfKey, lineOfText } from "./key_lines.ts";
import type { SettingsFile } from "./settings_file.ts";

/** Where a value came from. */
export interface Origin {
  /** As a message names it: `--listen`, `LISTEN_ADDR`, `listen in relay.toml`. */
  readonly label: string;
  /** That relative paths in it start from; the current folder when it is not given. */
  readonly folder?: string;
  /** In a file: where in it something is written, as a message names it: `relay.toml: line 12`. */
  placeOf?(spot: Spot): string;
  /** In a file: the line of its key. */
  readonly line?: number;
}

/** A value as it was written. */
export interface Found {
  readonly raw: unknown;
  readonly origin: Origin;
}

export interface Sources {
  /** Texts of each flag given, by its name without dashes. */
  readonly flags: ReadonlyMap<string, readonly string[]>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A whole text file. @throws CommandError */
  readText(path: string): string;
  /** True when there is such a file. */
  isFile(path: string): boolean;
}

/** The value of a setting in the strongest of its places, or undefined: precedence is the order of this list. */
export function findValue(setting: Setting, sources: Sources, file?: SettingsFile): Found | undefined {
  return (
    fromFlags(setting, sources) ??
    fromEnvironment(setting, sources) ??
    fromCredentials(setting, sources) ??
    (file && fromFile(setting, sources, file))
  );
}

function fromFlags(setting: Setting, sources: Sources): Found | undefined {
  const { key, kind, flag } = setting;
  const texts = sources.flags.get(key);
  const secretFile = kind.secret ? sources.flags.get(`${key}-file`)?.[0] : undefined;
  if (texts && secretFile !== undefined) throw givenTwice(flag, `${flag}-file`);
  if (secretFile !== undefined)
    return secretIn(setting, sources, { path: secretFile, label: `${flag}-file` });
  if (!texts) return undefined;
  const raw = kind.several ? texts.flatMap((text) => splitValues(kind, text)) : texts[0];
  return { raw, origin: { label: flag } };
}

/** An empty variable counts as not set, but for on/off settings: an empty guard must not be read as off. */
function fromEnvironment(setting: Setting, sources: Sources): Found | undefined {
  const { kind, variables, readEnv } = setting;
  for (const [index, variable] of variables.entries()) {
    const written = sources.env[variable];
    const text = written !== undefined && index > 0 && readEnv ? readEnv(written) : written;
    const secretFile = kind.secret ? sources.env[`${variable}_FILE`] : undefined;
    if (text && secretFile) throw givenTwice(variable, `${variable}_FILE`);
    if (secretFile) return secretIn(setting, sources, { path: secretFile, label: `${variable}_FILE` });
    if (text === undefined || (text === "" && kind.placeholder !== "")) continue;
    return { raw: kind.several ? splitValues(kind, text) : text, origin: { label: variable } };
  }
  return undefined;
}

/** systemd's `LoadCredential=worker-secret:…` puts secrets into files of the setting's name. */
function fromCredentials(setting: Setting, sources: Sources): Found | undefined {
  const folder = sources.env.CREDENTIALS_DIRECTORY;
  if (!setting.kind.secret || !folder) return undefined;
  const path = resolve(folder, setting.key);
  return sources.isFile(path)
    ? secretIn(setting, sources, { path, label: `$CREDENTIALS_DIRECTORY/${setting.key}` })
    : undefined;
}

function fromFile(setting: Setting, sources: Sources, file: SettingsFile): Found | undefined {
  const { tomlKey, kind } = setting;
  const raw = file.values[tomlKey];
  const secretFile = kind.secret ? file.values[`${tomlKey}_file`] : undefined;
  const label = `${tomlKey} in ${file.path}`;
  if (raw !== undefined && secretFile !== undefined) throw givenTwice(label, `${tomlKey}_file`);
  if (typeof secretFile === "string") {
    const path = resolve(file.folder, secretFile);
    return secretIn(setting, sources, { path, label: `${tomlKey}_file in ${file.path}` });
  }
  if (secretFile !== undefined)
    throw new CommandError(`Cannot read ${tomlKey}_file in ${file.path}: it is not a path`);
  if (raw === undefined) return undefined;
  const placeOf = (spot: Spot) => `${file.path}: line ${lineOf(file.text, tomlKey, spot)}`;
  const line = lineOf(file.text, tomlKey, { key: [] });
  return {
    raw: resolvePaths(raw, { setting, sources, file }),
    origin: { label, folder: file.folder, placeOf, line },
  };
}

function lineOf(toml: string, tomlKey: string, { key, text }: Spot): number {
  const line = lineOfKey(toml, [tomlKey, ...key]) ?? 1;
  return text === undefined ? line : lineOfText(toml, line, text);
}

/** Paths in a file start from its folder; a table's `secret_file` becomes its `secret`. */
function resolvePaths(
  raw: unknown,
  { setting, sources, file }: { setting: Setting; sources: Sources; file: SettingsFile },
): unknown {
  if (setting.kind.path && typeof raw === "string") return resolve(file.folder, raw);
  if (!setting.kind.secret || !Array.isArray(raw)) return raw;
  return raw.map((entry) => {
    if (typeof entry?.secret_file !== "string" || "secret" in entry) return entry;
    const { secret_file, ...rest } = entry;
    return { ...rest, secret: sources.readText(resolve(file.folder, secret_file)).trim() };
  });
}

/** The secret, or where several may be given the secrets, a line each, that a file holds. */
function secretIn({ kind }: Setting, sources: Sources, { path, label }: Origin & { path: string }): Found {
  const text = sources.readText(path).trim();
  // An empty file stays one empty secret, which is refused: it must not mean that none is needed.
  const lines = text.split(/\s*\n\s*/);
  return {
    raw: kind.several ? lines : text,
    origin: { label: `${label} (${path})` },
  };
}

function givenTwice(one: string, other: string): CommandError {
  return new CommandError(
    `Cannot use ${one} and ${other} together`,
    "give the secret itself or its file, not both",
  );
}
