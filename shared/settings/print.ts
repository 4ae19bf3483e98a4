import { z } from "zod";
import { describe, type SettingsSchema } from "./describe.ts";
import type { Loaded } from "./load.ts";

/**
 * Settings as a TOML file that would give them again, each with where it came from. Secrets, and what is not
 * set, stand in comments.
 */
export function printSettings<Schema extends SettingsSchema>(
  schema: Schema,
  { settings, origins }: Loaded<z.output<Schema>>,
): string {
  const lines = describe(schema).map(({ property, tomlKey, kind }) => {
    const value = (settings as Record<string, unknown>)[property];
    const origin = origins.get(property)?.label ?? "default";
    const isSet = value !== undefined && !(Array.isArray(value) && value.length === 0);
    if (!isSet) return [`# ${tomlKey} is not set`, ""];
    if (kind.secret) return [`# ${tomlKey} = "[redacted]"`, origin];
    return [`${tomlKey} = ${toToml(z.encode(kind.codec, value))}`, origin];
  });
  const width = Math.min(48, Math.max(...lines.map(([line = ""]) => line.length)));
  return lines
    .map(([line = "", origin]) => (origin ? `${line.padEnd(width)}  # ${origin}\n` : `${line}\n`))
    .join("");
}

/** JSON's texts, numbers and booleans are TOML's too; a table is written on one line. */
export function toToml(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(toToml).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([key, member]) => `${tomlKeyOf(key)} = ${toToml(member)}`);
  return `{ ${members.join(", ")} }`;
}

function tomlKeyOf(key: string): string {
  return /^[\w-]+$/.test(key) ? key : JSON.stringify(key);
}
