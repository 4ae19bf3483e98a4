import type { Http1Client } from "./client.ts";
import { originOf } from "./origin.ts";
import { Http1Failure } from "./types.ts";

/** More than any answer of ours has. */
const ANSWER_MAX_BYTES = 64 * 1024 * 1024;

export interface FetchOptions {
  /** More authorities to trust, PEM. */
  caPem?: string[];
}

/**
 * A `fetch` over our own client, for libraries that want one: the same on each runtime, without a proxy from the
 * environment, redirects or cookies. Takes texts as bodies, and reads answers whole. Rejects with an `Http1Failure`.
 */
export function fetchOver(client: Http1Client, { caPem }: FetchOptions = {}) {
  return (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    const url = new URL(input instanceof Request ? input.url : input);
    const body = typeof init.body === "string" ? new TextEncoder().encode(init.body) : undefined;
    const head = {
      method: init.method ?? "GET",
      target: url.pathname + url.search,
      headers: [...new Headers(init.headers)] as [string, string][],
    };
    return new Promise((resolve, reject) => {
      let status = 0;
      let headers: [string, string][] = [];
      const pieces: Uint8Array[] = [];
      let bytes = 0;
      const exchange = client.request(
        originOf(url, caPem),
        head,
        body ? { length: body.length } : "none",
        {
          head: (answer) => {
            status = answer.status;
            headers = answer.headers;
          },
          data: (piece) => {
            pieces.push(piece.slice());
            bytes += piece.length;
            if (bytes <= ANSWER_MAX_BYTES) return;
            exchange.cancel();
            reject(
              new Http1Failure("invalid", `Cannot read the answer: wanted at most ${ANSWER_MAX_BYTES} bytes`),
            );
          },
          end: () =>
            resolve(new Response(bytes > 0 ? new Blob(pieces as BlobPart[]) : null, { status, headers })),
          failed: reject,
        },
        body ? { firstBytes: body } : {},
      );
    });
  };
}
