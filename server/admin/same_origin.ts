import type { FieldReader } from "../../shared/received_fields.ts";

/** The headers that tell where a request came from, and the name under which it came in. */
export interface Provenance {
  readonly headers: FieldReader;
  /** `host` or `host:port`, as the browser has it. */
  readonly host: string;
}

/** Whether a page of another origin made the browser ask, as far as the browser says. */
export function isForeign(headers: FieldReader): boolean {
  const site = headers.get("sec-fetch-site");
  return site === "cross-site" || site === "same-site";
}

/**
 * Whether a page of this very origin sent it, by what browsers add themselves and no page can change. Browsers say
 * `Sec-Fetch-Site` where they trust the way (TLS, or this machine), and `Origin` of every POST.
 */
export function isSameOrigin({ headers, host }: Provenance): boolean {
  const site = headers.get("sec-fetch-site");
  if (site !== null) return site === "same-origin";
  const origin = URL.parse(headers.get("origin") ?? "");
  // `http://relay.test` is its `relay.test:80` too.
  return origin !== null && origin.host === URL.parse(`${origin.protocol}//${host}`)?.host;
}
