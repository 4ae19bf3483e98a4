import { printable } from "../printable.ts";
import { wrap } from "./help.ts";
import type { Paint } from "./style.ts";

/** Four of them fit into 80 columns, and two leave room for a sentence. */
const COLUMN_MAX_CHARS = 18;

/** Foreign texts, one under the other, in columns as wide as their widest cell. */
export function columnsOf(rows: readonly (readonly string[])[]): string[] {
  const safe = rows.map((row) => row.map(printable));
  const widths = safe.reduce<number[]>(
    (widest, row) =>
      row.map((cell, at) => Math.max(widest[at] ?? 0, Math.min(cell.length, COLUMN_MAX_CHARS))),
    [],
  );
  return safe.map((row) => row.map((cell, at) => cell.padEnd(widths[at]!)).join("  "));
}

export interface Hanging {
  readonly columns: number;
  readonly paint?: Paint;
  readonly paintLabel?: Paint;
}

/** More than half of a line is no label any longer: the text begins below it. */
const LABEL_SHARE = 0.6;
const BELOW = "      ";

/** A label and a foreign text behind it, whose further lines stand below its first. */
export function hanging(label: string, text: string, { columns, paint, paintLabel }: Hanging): string[] {
  const alone = label.length > columns * LABEL_SHARE;
  const indent = alone ? BELOW : " ".repeat(label.length);
  const lines = wrap(printable(text), indent, columns)
    .split("\n")
    .map((line) => line.slice(indent.length));
  const painted = lines.map((line) => (paint ? paint(line) : line));
  const head = paintLabel ? paintLabel(label) : label;
  if (alone) return [head.trimEnd(), ...painted.map((line) => indent + line)];
  return painted.map((line, at) => (at === 0 ? head : indent) + line);
}
