import { hasDotSegment } from "./path_of.ts";

/** Which paths a worker serves: what it registers as `endpoint_prefixes`, checked at the relay and at the worker. */

/** A worker names a handful of routes; more than this is a mistake and would cost every request. */
export const PREFIX_COUNT_MAX = 64;
/** Longer than any API's path to a resource. */
export const PREFIX_LENGTH_MAX_CHARS = 256;
/** Matches no path, as a path has no query. Stands for a list of which nothing usable was left. */
const NO_PATH = "/?";

const SLASH = 0x2f;

/**
 * Whether a path is within the prefixes. A prefix matches whole segments (`/v1` matches `/v1` and `/v1/chat`, not
 * `/v1beta`), one that ends in `*` matches as a plain string, `/` and an empty list match everything.
 * A path that may lead out of a prefix (`hasDotSegment`) is within none but `/`.
 * `path` is the path that is forwarded, escapes as they are, without the query; case counts.
 */
export function pathMatches(path: string, prefixes: readonly string[]): boolean {
  if (prefixes.length === 0) return true;
  for (const prefix of prefixes) if (matchesPrefix(path, prefix)) return true;
  return false;
}

function matchesPrefix(path: string, prefix: string): boolean {
  if (prefix === "/") return true;
  if (hasDotSegment(path)) return false;
  if (prefix.endsWith("*")) return path.startsWith(prefix.slice(0, -1));
  if (!path.startsWith(prefix)) return false;
  return path.length === prefix.length || path.charCodeAt(prefix.length) === SLASH;
}

/**
 * The prefixes in the form that `pathMatches` wants: trimmed, with a leading and without a trailing slash, each
 * once, at most `PREFIX_COUNT_MAX`. Every change to what was asked is a warning. When entries were given and none
 * could be kept, the result matches nothing: an empty list would open everything.
 */
export function sanitisePrefixes(asked: readonly string[]): { prefixes: string[]; warnings: string[] } {
  const kept = new Set<string>();
  const warnings: string[] = [];
  for (const raw of asked) {
    const prefix = normalise(raw);
    const problem = problemOf(prefix, kept);
    if (problem) warnings.push(`endpoint prefix ${JSON.stringify(shorten(raw))} was dropped: ${problem}`);
    else kept.add(prefix);
    if (!problem && prefix !== raw) {
      warnings.push(`endpoint prefix ${JSON.stringify(raw)} was read as ${JSON.stringify(prefix)}`);
    }
  }
  if (kept.size === 0 && asked.some((raw) => raw.trim() !== "")) kept.add(NO_PATH);
  return { prefixes: [...kept], warnings };
}

function normalise(raw: string): string {
  let prefix = raw.trim();
  if (prefix === "") return prefix;
  if (!prefix.startsWith("/")) prefix = `/${prefix}`;
  let end = prefix.length;
  while (end > 1 && /[\s/]/.test(prefix[end - 1]!)) end--;
  return prefix.slice(0, end);
}

function problemOf(prefix: string, kept: ReadonlySet<string>): string | undefined {
  if (prefix === "") return "it is empty";
  if (kept.has(prefix)) return "it is there already";
  if (prefix.length > PREFIX_LENGTH_MAX_CHARS) {
    return `wanted at most ${PREFIX_LENGTH_MAX_CHARS} characters, found ${prefix.length}`;
  }
  if (kept.size === PREFIX_COUNT_MAX) return `wanted at most ${PREFIX_COUNT_MAX} prefixes`;
  return undefined;
}

const shorten = (text: string) => (text.length > 64 ? `${text.slice(0, 64)}…` : text);
