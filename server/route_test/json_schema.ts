import { z } from "zod";
import type { KeyPath } from "../../shared/settings/key_lines.ts";

/** A JSON Schema, as far as it is looked at here. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly anyOf?: readonly JsonSchema[];
}

/** What zod knows of a schema, as plain data. */
export function jsonSchemaOf(schema: z.ZodType, io: "input" | "output" = "input"): JsonSchema {
  return z.toJSONSchema(schema, { io }) as JsonSchema;
}

/** The keys that the table at a path may have; none where there is no table. */
export function keysAt(schema: JsonSchema, path: KeyPath): string[] {
  let at: JsonSchema | undefined = schema;
  for (const part of path) at = at && below(at, part);
  return Object.keys((at && tableOf(at))?.properties ?? {});
}

function below(schema: JsonSchema, part: string | number): JsonSchema | undefined {
  if (typeof part === "number") return schema.items;
  const table = tableOf(schema);
  const any = table?.additionalProperties;
  return table?.properties?.[part] ?? (typeof any === "object" ? any : undefined);
}

/** Of several forms the one that is a table. */
function tableOf(schema: JsonSchema): JsonSchema | undefined {
  return schema.properties || schema.additionalProperties
    ? schema
    : schema.anyOf?.find((form) => form.properties);
}
