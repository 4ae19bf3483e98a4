/** What a check of the set-up came to. `problem`: it keeps the command from doing its work. */
export type Level = "ok" | "warning" | "problem";

/** One check, in the words of who runs it. */
export interface Finding {
  readonly level: Level;
  /** What was looked at, in at most ten letters. */
  readonly check: string;
  readonly found: string;
  /** What to do about it. */
  readonly hint?: string;
}

export function ok(check: string, found: string): Finding {
  return { level: "ok", check, found };
}

export function warning(check: string, found: string, hint?: string): Finding {
  return { level: "warning", check, found, ...(hint !== undefined && { hint }) };
}

export function problem(check: string, found: string, hint?: string): Finding {
  return { level: "problem", check, found, ...(hint !== undefined && { hint }) };
}
