import type { z } from "zod";
import { nearest } from "../../shared/command_line/nearest.ts";
import { quote } from "../../shared/printable.ts";
import type { KeyPath } from "../../shared/settings/key_lines.ts";
import { jsonSchemaOf, keysAt } from "./json_schema.ts";

/** What is wrong with something that somebody wrote by a schema whose messages say what is wanted. */
export interface SchemaComplaint {
  readonly key: KeyPath;
  /** What was wanted, and what was found. */
  readonly problem: string;
  readonly hint: string;
}

/** `values`: all that was written. */
export function schemaComplaint(
  schema: z.ZodType,
  issue: z.core.$ZodIssue,
  values: unknown,
): SchemaComplaint {
  const path = issue.path as KeyPath;
  const keys = keysAt(jsonSchemaOf(schema), path);
  const list = `there are ${keys.join(", ")}`;
  if (issue.code === "unrecognized_keys") {
    const [key = ""] = issue.keys;
    const meant = nearest(key, keys);
    return {
      key: [...path, key],
      problem: "there is no such key",
      hint: meant ? `the nearest is ${meant}` : list,
    };
  }
  const found = path.reduce<unknown>(
    (value, key) => (value as Record<string | number, unknown>)?.[key],
    values,
  );
  const words = issue.code === "invalid_value" ? issue.values.map(String) : [];
  const meant = typeof found === "string" ? nearest(found, words) : undefined;
  return {
    key: path,
    problem: `wanted ${issue.message}, found ${found === undefined ? "nothing" : quote(found)}`,
    hint: meant
      ? `the nearest is ${meant}`
      : keys.length > 0
        ? list
        : "docs/scenarios.md lists the keys and what they take",
  };
}

/** `worker[2].models`: what is in a list is counted from 1. */
export function nameOfKey(key: KeyPath): string {
  return key
    .map((part, at) => {
      if (typeof part === "number") return `[${part + 1}]`;
      const name = /^[\w-]+$/.test(part) ? part : quote(part);
      return at === 0 ? name : `.${name}`;
    })
    .join("");
}
