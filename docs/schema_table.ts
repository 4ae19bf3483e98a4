import type { JsonSchema } from "../server/route_test/json_schema.ts";
import { RULE_NAMES } from "../server/route_test/scenario_schema.ts";

/** A member of a schema as a row of the manual. */
interface Row {
  name: string;
  kind: string;
  fallback: string;
  says: string;
}

/** A Markdown table of the members of a schema and of those below them; what has no sentence of its own is left out. */
export function schemaTable(schema: JsonSchema, { defaults }: { defaults: boolean }): string {
  const rows = rowsOf(schema, "").map(({ name, kind, fallback, says }) =>
    defaults ? [name, kind, fallback, says] : [name, kind, says],
  );
  const head = defaults ? ["key", "takes", "default", "meaning"] : ["member", "is", "meaning"];
  const lines = [head, head.map(() => "---"), ...rows];
  return lines
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |\n`)
    .join("");
}

function rowsOf(schema: JsonSchema, prefix: string): Row[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, member]) => {
    const name = `${prefix}${key}`;
    const own = {
      name: code(name),
      kind: kindOf(member),
      fallback: fallbackOf(member, schema.required?.includes(key) ?? false),
      says: member.description ?? "",
    };
    const below = member.anyOf?.find(({ properties }) => properties) ?? member.items ?? member;
    const inner = rowsOf(below, `${name}${member.items ? "[]" : ""}.`).filter(({ says }) => says !== "");
    return [own, ...inner];
  });
}

function kindOf(schema: JsonSchema): string {
  if (schema.enum?.length === RULE_NAMES.length) return "[rule](scenarios.md#rules)";
  if (schema.enum) return schema.enum.map((word) => code(`${word}`)).join(", ");
  if (schema.const !== undefined) return code(JSON.stringify(schema.const));
  if (schema.anyOf) return [...new Set(schema.anyOf.map(kindOf))].join(" or ");
  const types = [schema.type ?? []].flat();
  return types.map((type) => (type === "array" ? listKind(schema.items) : KINDS[type])).join(" or ");
}

const KINDS: Readonly<Record<string, string>> = {
  string: "text",
  integer: "whole number",
  number: "number",
  boolean: "true or false",
  object: "table",
  null: "null",
};

function listKind(items: JsonSchema = {}): string {
  if (items.enum) return `list of ${kindOf(items)}`;
  return items.type === "object" ? "list of tables" : "list of texts";
}

/** What may be left out without a default has a sentence that says what that leads to. */
function fallbackOf({ default: fallback }: JsonSchema, needed: boolean): string {
  if (needed) return "needed";
  return fallback === undefined ? "" : code(JSON.stringify(fallback));
}

function code(text: string): string {
  return `\`${text}\``;
}
