/**
 * Characters that do not stay on their line or in their place: line breaks forge lines, escape codes drive
 * terminals (C1 controls too), and bidirectional marks reorder what is read.
 */
const UNSAFE = /[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Foreign text for a line of output: what could leave the line is shown as `\u000a`. */
export function printable(text: string): string {
  return text.replace(UNSAFE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** A foreign value in a message: on one line, escaped, and no longer than a glance. */
export function quote(raw: unknown): string {
  const text = printable(JSON.stringify(raw) ?? String(raw));
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
