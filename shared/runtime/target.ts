/**
 * What the URL standard would write differently, in a path or in a query. "/." starts every dot segment but also
 * `/.well-known`; the detour through `URL` then changes nothing.
 */
const NOT_PLAIN = /[^!-~]|["#'<>\\^`{}]|\/\.|%2e/i;

/** Any origin does: only path and query are read back. */
const ORIGIN = "http://x";

/**
 * The path and query of a request line as the URL standard serialises them: dot segments resolved, `%2F` and other
 * escapes kept, the fragment dropped. What is plain already, nearly always, costs one scan.
 *
 * `written` starts with "/" or "?", or is "" (an absolute form may have no path).
 */
export function normalTarget(written: string): string {
  if (written.startsWith("/") && !NOT_PLAIN.test(written)) return written;
  const fragment = written.indexOf("#");
  const withoutFragment = fragment < 0 ? written : written.slice(0, fragment);
  const { pathname, href } = new URL(ORIGIN + withoutFragment);
  // Deno 2.9 follows the standard as it was before it escaped "^" in paths.
  return pathname.replaceAll("^", "%5E") + href.slice(ORIGIN.length + pathname.length);
}
