import type { Style } from "../../shared/command_line/style.ts";

/** A section of a report; nothing where there are no lines. */
export function titled(title: string, lines: readonly string[], { strong }: Pick<Style, "strong">): string[] {
  return lines.length === 0 ? [] : [strong(title), ...lines];
}
