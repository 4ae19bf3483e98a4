import type { z } from "zod";
import { nearest } from "../../shared/command_line/nearest.ts";
import { quote } from "../../shared/printable.ts";
import { Misread } from "../../shared/settings/field.ts";
import type { KeyPath } from "../../shared/settings/key_lines.ts";
import { TABLE_KEYS } from "./override_schema.ts";
import type { OverrideSettings } from "./override_settings.ts";

/** Something in the `[override]` table is wrong. `text` is the one of a list that is to blame. */
export function mistake(key: KeyPath, problem: string, text?: string): Misread {
  return new Misread(problem, nameOf(key), { key, ...(text !== undefined && { text }) });
}

/** `override.endpoint[2].name`: what is in a list is counted from 1. */
function nameOf(key: KeyPath): string {
  const names = key.map((part) => {
    if (typeof part === "number") return `[${part + 1}]`;
    return `.${/^[\w-]+$/.test(part) ? part : quote(part)}`;
  });
  return `override${names.join("")}`;
}

/** What the schema found, in words. `raw` is all that was written. */
export function schemaMistake(issue: z.core.$ZodIssue, raw: unknown): Misread {
  const path = issue.path as KeyPath;
  if (issue.code === "unrecognized_keys") {
    const [key = ""] = issue.keys;
    const table = path.findLast((part) => typeof part === "string") ?? "";
    return mistake([...path, key], `is unknown: ${near(key, TABLE_KEYS[table] ?? [])}`);
  }
  const found = path.reduce<unknown>(
    (value, part) => (value as Record<string | number, unknown>)?.[part],
    raw,
  );
  const text = typeof path.at(-1) === "number" && typeof found === "string" ? found : undefined;
  if (issue.code === "custom") return mistake(path, `cannot be used: ${issue.message}`, text);
  return mistake(
    path,
    `must be ${issue.message}: found ${found === undefined ? "nothing" : quote(found)}`,
    text,
  );
}

/** What one part of the table means for another. @throws Misread */
export function checkTogether(settings: OverrideSettings): void {
  checkNames(settings);
  checkCredentials(settings);
  const { require, listen, keys } = settings;
  if (require.includes("listener") && !listen)
    throw mistake(["require"], "cannot be used: there is no listener, as listen is not given");
  if (require.includes("signature") && keys.length === 0)
    throw mistake(["require"], "cannot be used: nobody can sign, as there is no [[override.key]]");
}

function checkNames({ endpoints, keys }: OverrideSettings): void {
  const names = endpoints.map(({ name }) => name);
  const lists = { "endpoint name": names, "key id": keys.map(({ id }) => id) };
  for (const [what, list] of Object.entries(lists)) {
    const [table = "", member = ""] = what.split(" ");
    const at = list.findIndex((name, index) => list.indexOf(name) < index);
    if (at >= 0) throw mistake([table, at, member], `cannot be used: there is ${quote(list[at])} already`);
  }
  for (const [at, { endpoints: limits = [] }] of keys.entries()) {
    const unknown = [...limits].find((name) => !names.includes(name));
    if (unknown === undefined) continue;
    const problem = `cannot be used: there is no endpoint ${quote(unknown)}, ${near(unknown, names)}`;
    throw mistake(["key", at, "endpoints"], problem, unknown);
  }
}

function checkCredentials({ endpoints }: OverrideSettings): void {
  for (const [at, { credential, secret, patterns }] of endpoints.entries()) {
    if ((credential === "secret") !== (secret !== undefined))
      throw mistake(
        ["endpoint", at, secret ? "secret" : "credential"],
        'cannot be used: credential = "secret" and a secret go together',
      );
    const foreign = secret && patterns.find(({ ownDomain }) => !ownDomain)?.text;
    if (foreign === undefined) continue;
    const problem = `cannot be used: a secret goes only where the registrable domain is written out, ${quote(foreign)} leaves it open`;
    throw mistake(["endpoint", at, "patterns"], problem, foreign);
  }
}

function near(word: string, known: readonly string[]): string {
  const meant = nearest(word, known);
  return meant ? `the nearest is ${meant}` : `there are ${known.join(", ")}`;
}
