import { SSE_START_UNITS } from "./plain_limits.ts";

/** How an event stream begins (WHATWG HTML, 9.2.5): a field or a comment, after a byte order mark or empty lines. */
const STARTS = ["data:", "event:", "id:", "retry:", ":"];

/**
 * Whether a body that begins like this is an event stream. "unclear": more of it is needed, which is never so
 * past `SSE_START_UNITS` characters.
 */
export function sseStart(text: string): "sse" | "other" | "unclear" {
  const start = text.slice(0, SSE_START_UNITS).replace(/^\ufeff?[\r\n]*/, "");
  if (STARTS.some((field) => start.startsWith(field))) return "sse";
  const mayBecome = STARTS.some((field) => field.startsWith(start));
  return mayBecome && text.length < SSE_START_UNITS ? "unclear" : "other";
}
