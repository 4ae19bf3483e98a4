/** The path of a request target, without its query: what rules match, what logs show. */
export function pathOf(target: string): string {
  return target.split("?", 1)[0]!;
}
