import type { FieldReader } from "../shared/received_fields.ts";

/** What a page may read beside what browsers show anyway. */
const EXPOSED =
  "x-signalbox-request-id, x-signalbox-provider, x-signalbox-worker, x-signalbox-model, x-signalbox-attempts, retry-after";

/** A day: browsers cap it at two hours or so. */
const PREFLIGHT_MAX_AGE_S = 86_400;

/** Lets pages of the named origins call from a browser (fetch standard, "CORS protocol"). Never for the operator's. */
export class Cors {
  readonly #origins: ReadonlySet<string>;

  constructor(origins: readonly string[]) {
    this.#origins = new Set(origins);
  }

  /** The origin to answer to; undefined when the request comes from no page, or from one that may not. */
  allowedOrigin(headers: FieldReader, path: string): string | undefined {
    if (this.#origins.size === 0 || /^\/(?:admin|dashboard)(?:\/|$)/.test(path)) return undefined;
    const origin = headers.get("origin");
    return origin !== null && (this.#origins.has("*") || this.#origins.has(origin)) ? origin : undefined;
  }

  /** The answer to a preflight, which carries no key and must not be asked for one; undefined: it is none. */
  preflight(request: Request, origin: string): Response | undefined {
    const method = request.headers.get("access-control-request-method");
    if (request.method !== "OPTIONS" || method === null) return undefined;
    const wanted = request.headers.get("access-control-request-headers");
    return new Response(null, {
      status: 204,
      headers: {
        "access-control-allow-origin": origin,
        "access-control-allow-methods": method,
        ...(wanted !== null && { "access-control-allow-headers": wanted }),
        "access-control-max-age": String(PREFLIGHT_MAX_AGE_S),
        vary: "origin, access-control-request-method, access-control-request-headers",
      },
    });
  }

  /** The relay decides who may read: what a backend said about it is replaced. */
  stamp(response: Response, origin: string): Response {
    const { headers } = response;
    headers.set("access-control-allow-origin", origin);
    headers.set("access-control-expose-headers", EXPOSED);
    headers.append("vary", "origin");
    return response;
  }
}
