/**
 * Which requests may be sent a second time when the first try may have reached a backend but no byte of an
 * answer was seen. RFC 9110 9.2.2 names the idempotent methods; DELETE is left out because a second one answers
 * 404 where the first answered 200. A POST on an inference path changes nothing but the electricity bill.
 */
const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS", "PUT"]);

/** Paths whose POST may be sent again. `/v1/responses` only while nothing is stored: see `mayResend`. */
export const DEFAULT_RESEND_PATHS: readonly string[] = [
  "/v1/chat/completions",
  "/v1/completions",
  "/v1/embeddings",
  "/v1/messages",
  "/v1/messages/count_tokens",
  "/v1/responses",
  "/v1/rerank",
  "/v1/moderations",
  "/api/generate",
  "/api/chat",
  "/api/embed",
  "/api/embeddings",
  "/completion",
  "/tokenize",
  "/detokenize",
];

const DEFAULT_PATHS: ReadonlySet<string> = new Set(DEFAULT_RESEND_PATHS);

/** `path` without its query. `stores`: the body asks the backend to keep what it makes (`store`, `background`). */
export function mayResend(
  request: { method: string; path: string; stores?: boolean },
  paths = DEFAULT_PATHS,
): boolean {
  if (SAFE_METHODS.has(request.method)) return true;
  return request.method === "POST" && !request.stores && paths.has(request.path);
}
