import type { RelayFailure } from "../shared/failures.ts";
import type { FieldReader } from "../shared/received_fields.ts";

/**
 * The only place where a failure becomes a response: in the dialect of the API that the path belongs to, or of
 * OpenRouter for its clients, so that the official ones raise the error that fits. Nothing of the cause is shown.
 */

/** What the answer has to know of the request. */
export interface FailedRequest {
  method: string;
  /** With or without the query. */
  path: string;
  headers: FieldReader;
  requestId: string;
  /** Headers for the answer: what the relay says of the request's routing. */
  notes?: Readonly<Record<string, string>>;
}

export function failureResponse(failure: RelayFailure, request: FailedRequest): Response {
  const body = request.method === "HEAD" ? null : JSON.stringify(bodyFor(failure, request));
  return new Response(body, { status: failure.status, headers: headersFor(failure, request) });
}

function headersFor(failure: RelayFailure, { requestId, notes }: FailedRequest): Record<string, string> {
  const { retryAfterS } = failure;
  return {
    "content-type": "application/json",
    "x-signalbox-request-id": requestId,
    ...(retryAfterS !== undefined && { "retry-after": `${Math.max(1, Math.ceil(retryAfterS))}` }),
    // RFC 9110 11.6.1: a 401 says how to come in.
    ...(failure.status === 401 && { "www-authenticate": "Bearer" }),
    ...notes,
    ...failure.options.headers,
  };
}

function bodyFor(failure: RelayFailure, request: FailedRequest): object {
  const { code, message, status } = failure;
  const { metadata, param = null } = failure.options;
  const extra = metadata && { metadata };
  if (/^\/v1\/messages(?![^/?])/.test(request.path)) {
    const error = { type: anthropicType(status), message, code, ...extra };
    return { type: "error", error, request_id: request.requestId };
  }
  if (isOpenRouters(request.headers)) {
    // Its client takes no code but the status; ours stands where it looks for what it does not know.
    return {
      error: { code: status, message, metadata: { ...metadata, error_type: openRouterType(status), code } },
    };
  }
  // Ollama's clients print `error` as it is.
  if (request.path.startsWith("/api/")) return { error: message, code, ...extra };
  return { error: { message, type: openaiType(status), code, param, ...extra } };
}

/** https://docs.claude.com/en/api/errors */
function anthropicType(status: number): string {
  const types: Record<number, string> = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
  };
  return types[status] ?? (status < 500 ? "invalid_request_error" : "api_error");
}

/** https://platform.openai.com/docs/guides/error-codes */
function openaiType(status: number): string {
  const types: Record<number, string> = {
    401: "authentication_error",
    403: "permission_error",
    429: "rate_limit_error",
  };
  return types[status] ?? (status < 500 ? "invalid_request_error" : "server_error");
}

/**
 * Whether OpenRouter's error shape is wanted: of its SDKs, whose user agents name it, and of whoever sends one of its
 * own headers (`X-OpenRouter-Title`, …). Others, `@openrouter/ai-sdk-provider` among them, read OpenAI's shape too.
 */
function isOpenRouters(headers: FieldReader): boolean {
  if (/openrouter/i.test(headers.get("user-agent") ?? "")) return true;
  let named = false;
  headers.forEach((_value, name) => {
    named ||= name.startsWith("x-openrouter-");
  });
  return named;
}

/** https://openrouter.ai/docs/api/reference/errors-and-debugging, the names as in `ApiErrorType` of its SDK. */
function openRouterType(status: number): string {
  const types: Record<number, string> = {
    401: "authentication",
    403: "permission_denied",
    404: "not_found",
    408: "timeout",
    413: "payload_too_large",
    429: "rate_limit_exceeded",
    502: "provider_unavailable",
    503: "provider_overloaded",
    504: "timeout",
  };
  return types[status] ?? (status < 500 ? "invalid_request" : "server");
}
