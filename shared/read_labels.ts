import type { z } from "zod";
import { nearest } from "./command_line/nearest.ts";
import { type Labels, labelsSchema, modelLabelsSchema, priceSchema } from "./labels.ts";
import { quote } from "./printable.ts";

/** A label that cannot be used, and why. */
export interface WrongLabel {
  /** As TOML writes it below `[labels]`: `price.prompt`, `models."qwen2.5".zdr`. */
  readonly name: string;
  /** Continues the name: `must be true or false: found "yes"`. */
  readonly problem: string;
}

type Path = readonly string[];

/** Longer than any label: a longer name is cut in messages, and not searched whole for one that it resembles. */
const NAME_MAX_CHARS = 64;

/** The labels in what somebody declared, without those that are wrong: a wrong label is never one that counts. */
export function readLabels(raw: unknown): { labels: Labels; wrong: WrongLabel[] } {
  const { data, error } = labelsSchema.safeParse(raw);
  if (data) return { labels: data, wrong: [] };
  const rest = { labels: structuredClone(raw) };
  const wrong = new Map<string, WrongLabel>();
  for (const issue of error.issues) {
    for (const path of pathsOf(issue)) {
      const name = nameOf(path);
      // Of a list, each item that is wrong is an issue.
      if (wrong.has(name)) continue;
      wrong.set(name, { name, problem: problemOf(issue, path, raw) });
      drop(rest, path, issue);
    }
  }
  return { labels: labelsSchema.parse(rest.labels ?? {}), wrong: [...wrong.values()] };
}

/** The labels that an issue is about: a list counts as one. */
function pathsOf(issue: z.core.$ZodIssue): Path[] {
  const path: string[] = [];
  for (const part of issue.path) {
    if (typeof part !== "string") break;
    path.push(part);
  }
  return issue.code === "unrecognized_keys" ? issue.keys.map((key) => [...path, key]) : [path];
}

function nameOf(path: Path): string {
  const isBare = (part: string) => part.length <= NAME_MAX_CHARS && /^[\w-]+$/.test(part);
  const parts = path.map((part) => (isBare(part) ? part : quote(part)));
  return parts.length === 0 ? "labels" : parts.join(".");
}

function problemOf(issue: z.core.$ZodIssue, path: Path, raw: unknown): string {
  if (issue.code === "unrecognized_keys") return unknownProblem(path);
  const found = path.reduce<unknown>((table, key) => (table as Record<string, unknown>)[key], raw);
  // JSON has no word for a number that is none.
  return `must be ${issue.message}: found ${typeof found === "number" ? found : quote(found)}`;
}

function unknownProblem(path: Path): string {
  const table = path.slice(0, -1);
  const ofModel = table.length === 2 && table[0] === "models";
  const schema = table.length === 0 ? labelsSchema : ofModel ? modelLabelsSchema : priceSchema;
  const known = Object.keys(schema.shape);
  const meant = nearest(path.at(-1)!.slice(0, NAME_MAX_CHARS), known);
  return meant ? `is unknown: the nearest is ${meant}` : `is unknown: there are ${known.join(", ")}`;
}

/** A model's own label stays as one that nobody knows: the one for all must not stand in for it. */
function drop(rest: object, path: Path, { code }: z.core.$ZodIssue): void {
  const whole: Path = ["labels", ...path];
  const key = whole.at(-1)!;
  const table = whole.slice(0, -1).reduce((outer, name) => outer[name] as Table, rest as Table);
  const ofModel = path.length === 3 && path[0] === "models";
  if (ofModel && code !== "unrecognized_keys") table[key] = undefined;
  else delete table[key];
}

type Table = Record<string, unknown>;
