import type { Http1Client } from "../shared/http1/client.ts";
import type { HeaderPairs, Origin } from "../shared/http1/types.ts";

/** An answer, read whole. */
export interface Answer {
  status: number;
  headers: HeaderPairs;
  body: string;
}

/** A model list longer than this is no model list. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

/** Ask for something as JSON. Undefined: no whole answer came. An answer that is too long has status 0 and no body. */
export function get(client: Http1Client, origin: Origin, target: string): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    const answer: Answer = { status: 0, headers: [], body: "" };
    const decoder = new TextDecoder();
    const exchange = client.request(
      origin,
      { method: "GET", target, headers: [["accept", "application/json"]] },
      "none",
      {
        head: ({ status, headers }) => Object.assign(answer, { status, headers }),
        data: (bytes) => {
          answer.body += decoder.decode(bytes, { stream: true });
          if (answer.body.length <= MAX_ANSWER_BYTES) return;
          exchange.cancel();
          resolve({ status: 0, headers: [], body: "" });
        },
        end: () => resolve(answer),
        failed: () => resolve(undefined),
      },
      { idempotent: true },
    );
  });
}

/** What a successful answer holds as JSON; undefined for any other. */
export function jsonOf({ status, body }: Answer): unknown {
  if (status !== 200) return undefined;
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
