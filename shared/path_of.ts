/** The path of a request target, without its query: what rules match, what logs show. */
export function pathOf(target: string): string {
  const query = target.indexOf("?");
  return query < 0 ? target : target.slice(0, query);
}

/**
 * Whether a path holds a dot segment, also beside an escaped slash or backslash. `%2F` is no separator here; a backend
 * that decodes it before it resolves dots would leave the prefix that the path was checked against.
 */
export function hasDotSegment(path: string): boolean {
  return DOT_SEGMENT.test(path);
}

const DOT_SEGMENT = /(?:\/|\\|%2f|%5c)(?:\.|%2e){1,2}(?:\/|\\|%2f|%5c|$)/i;
