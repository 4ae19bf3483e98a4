import type { LinkRequestHead } from "./events.ts";
import type { MessageNamed } from "./messages.ts";
import { requestPairs } from "./plain_headers.ts";

/** RFC 9110, 9.1 and 4.1: a token; a path with query, without spaces and controls. */
const METHOD = /^[!#$%&'*+.^_`|~0-9A-Z-]{1,32}$/;
const TARGET = /^\/[\x21-\x7e]*$/;

/** An empty body is one too where a body is expected (RFC 9110, 8.6). */
const EXPECT_BODY = ["POST", "PUT", "PATCH"];

/** The head in a `request` message; undefined when what it holds cannot stand in a request line. */
export function requestHead(
  message: MessageNamed<"request">,
  bodyBytes: number,
): LinkRequestHead | undefined {
  const { method = "POST", endpoint_path: target, is_streaming: streaming, model } = message;
  if (!METHOD.test(method) || !TARGET.test(target)) return undefined;
  const hasBody = bodyBytes > 0;
  const headers = requestPairs(message.headers);
  if (hasBody || EXPECT_BODY.includes(method)) headers.push(["content-length", `${bodyBytes}`]);
  return { method, target, headers, hasBody, streaming, upgrade: false, model };
}
