/**
 * The cookie of who has signed in at the relay's dashboard. Browsers send it with every request to the relay, also with
 * those that are relayed: it has to be known where headers cross.
 */
export const SESSION_COOKIE = "signalbox_session";

/** Two `Cookie` fields arrive as one, which the runtimes join by commas; no value of ours has either sign in it. */
const OURS = new RegExp(String.raw`(?:^|[;,])[ \t]*${SESSION_COOKIE}[ \t]*=([^;,]*)`, "g");

/** The sessions that a `Cookie` field names. More than one when other pages of this host set some. */
export function sessionsIn(cookies: string | null): string[] {
  if (!cookies?.includes(SESSION_COOKIE)) return [];
  return [...cookies.matchAll(OURS)].map(([, value]) => value!.trim());
}

/** A `Cookie` field without it, and otherwise as it was; "" when nothing is left. */
export function withoutSession(cookies: string): string {
  if (!cookies.includes(SESSION_COOKIE)) return cookies;
  return cookies.replace(OURS, "").replace(/^[;,][ \t]*/, "");
}

/**
 * Whether a `Set-Cookie` field would replace it, or look as if: nobody but the relay may. Of a cookie that has no name
 * (`=value`) browsers send the value alone, and that may be `name=value` itself.
 */
export function setsSession(setCookie: string): boolean {
  const pair = setCookie.split(";", 1)[0]!.trim().replace(/^=/, "");
  return pair.slice(0, pair.indexOf("=")).trim() === SESSION_COOKIE;
}
