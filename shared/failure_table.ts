/**
 * Every way a request, a link or a worker's knock can fail, once. The answer's status, whether another worker
 * may be asked, `docs/failures.md` and the log all come from this table.
 */

/** Whose doing it is. A `provider` is what an override sends to. */
export type FailureSource = "client" | "relay" | "worker" | "backend" | "provider";

export interface FailureEntry {
  /** What the client gets, if nothing was sent to it yet. */
  readonly status: number;
  readonly source: FailureSource;
  /** Another worker may do better: the re-send rules decide whether it is asked. */
  readonly retryable: boolean;
  /** For the client: a sentence without a full stop, to which a detail may be added after a colon. */
  readonly says: string;
  /** For who runs the relay: what to do about it. */
  readonly hint: string;
  /** When it is worth trying again, in seconds: becomes `Retry-After`. */
  readonly retryAfterS?: number;
}

type Rest = Pick<FailureEntry, "says" | "hint"> & Partial<FailureEntry>;
const entry = (source: FailureSource, retryable: boolean) => (status: number, rest: Rest) =>
  ({ status, source, retryable, ...rest }) satisfies FailureEntry;

const client = entry("client", false);
const relay = entry("relay", false);
const worker = entry("worker", true);
const backend = entry("backend", true);
const provider = entry("provider", false);

/** Long enough for a slot to come free with short answers, short enough that a person does not notice. */
const SOON_S = 2;
/** A process that drains is replaced by another within about that time. */
const AFTER_RESTART_S = 5;

const TABLE = {
  bad_request: client(400, {
    says: "The request cannot be understood",
    hint: "the message names the part; a GET or HEAD cannot have a body",
  }),
  invalid_preference: client(400, {
    says: "A routing preference cannot be understood",
    hint: "the message names the field of provider, X-Provider or models, and what it takes",
  }),
  bad_host: client(400, {
    says: "The request needs exactly one valid Host header",
    hint: "look at the client, or at the proxy in front that rewrites Host",
  }),
  unauthorized: client(401, {
    says: "An API key is required",
    hint: "send it as Authorization: Bearer, x-api-key or api-key; `signalbox keys hash` makes keys",
  }),
  invalid_api_key: client(401, {
    says: "This API key is not known here",
    hint: "compare its SHA-256 with the entries of --api-keys-file: `signalbox keys hash` prints it",
  }),
  forbidden: client(403, {
    says: "This API key may not do that",
    hint: "give the key the scope that the message names, in --api-keys-file",
  }),
  admin_forbidden: client(403, {
    says: "The admin token is needed",
    hint: "send --admin-token as Authorization: Bearer, or sign in at /dashboard; without one set, both are closed",
  }),
  override_not_allowed: client(403, {
    says: "This request may not name a provider endpoint",
    hint: "it is refused rather than served by shared workers; [override] of the settings says who may, or leave out x-provider-endpoint",
  }),
  override_invalid: client(400, {
    says: "This x-provider-endpoint cannot be used",
    hint: "the message names the part; a URL is taken in its canonical form only, and x-model-provider as [override] says",
  }),
  override_not_listed: client(403, {
    says: "This x-provider-endpoint is not listed here",
    hint: "`signalbox route-test` with the same header shows which part of which pattern failed",
  }),
  not_found: client(404, {
    says: "There is nothing here",
    hint: "the path is reserved for the relay itself and not one of those it has",
  }),
  path_not_allowed: client(404, {
    says: "This path is not relayed",
    hint: "see --allow-path and --deny-path",
  }),
  no_eligible_worker: client(404, {
    says: "No worker can serve this request",
    hint: "the routing_funnel shows which rule the last workers fell to",
  }),
  model_not_found: client(404, {
    says: "No worker serves this model",
    hint: "what is served is listed at GET /v1/models; a worker without --models asks its backend",
  }),
  method_not_allowed: client(405, {
    says: "This path does not take this method",
    hint: "the Allow header lists the methods; CONNECT and TRACE are never relayed",
  }),
  upload_timeout: client(408, {
    says: "The request body stopped arriving",
    hint: "a slow network, or a client that announced more than it sent: --upload-idle-timeout",
  }),
  body_too_large: client(413, {
    says: "The request body is too large",
    hint: "raise --max-body-size",
  }),
  plain_link_text_only: client(415, {
    says: "The workers for this request take text only",
    hint: "workers of ModelRelay cannot carry binary bodies: run a Signalbox worker",
  }),
  too_many_attempts: client(429, {
    says: "Too many wrong credentials from this address",
    hint: "it may try again after Retry-After; workers behind one proxy are counted together, by its address",
  }),
  header_too_large: client(431, {
    says: "The request's headers are too large",
    hint: "raise --max-header-size",
  }),
  client_gone: client(499, {
    says: "The client left",
    hint: "never sent: it stands in the log; the backend's work was cancelled",
  }),
  client_stalled: client(499, {
    says: "The client took nothing of the answer",
    hint: "never sent, as the answer had begun: --slow-reader-timeout",
  }),
  internal_error: relay(500, {
    says: "The relay has a fault",
    hint: "the log has the cause beside the request id: please report it",
  }),
  upgrade_unsupported: relay(501, {
    says: "WebSockets are not passed through here",
    hint: "use the HTTP form of the API",
  }),
  line_full: relay(503, {
    retryAfterS: SOON_S,
    says: "Too many requests are waiting for a worker",
    hint: "add workers or slots (--max-concurrency), or raise --max-queue-len and --max-queue-bytes",
  }),
  wait_expired: relay(503, {
    retryAfterS: SOON_S,
    says: "No worker became free in time",
    hint: "add workers or slots (--max-concurrency), or raise --queue-timeout",
  }),
  shutting_down: relay(503, {
    retryAfterS: AFTER_RESTART_S,
    says: "The relay is shutting down",
    hint: "running requests end, new ones are for its successor",
  }),
  worker_lost: worker(502, {
    says: "The worker was lost",
    hint: "its log tells why: restarted, out of memory, or its network broke; it reconnects by itself",
  }),
  worker_refused: worker(503, {
    retryAfterS: SOON_S,
    says: "The worker did not take the request",
    hint: "it was draining, full, or does not serve the path: its log tells which",
  }),
  worker_invalid: worker(502, {
    says: "The worker's answer is not HTTP",
    hint: "a status outside 200 to 599 or a bad header: look at the backend's answer with curl -v",
  }),
  too_many_workers: worker(503, {
    retryable: false,
    retryAfterS: SOON_S,
    says: "Too many workers connect at a time",
    hint: "they come back by themselves, spread over time; raise --max-worker-handshakes for a large fleet",
  }),
  link_overflow: worker(502, {
    retryable: false,
    says: "The answer came faster than it was taken",
    hint: "the link of ModelRelay has no flow control: run a Signalbox worker",
  }),
  link_protocol: worker(502, {
    says: "The link broke its protocol",
    hint: "the log names the message; run the same version on both ends",
  }),
  link_auth_failed: worker(401, {
    retryable: false,
    says: "The worker secret is not valid for this provider",
    hint: "compare the two ends' --worker-secret-file; a client's API key does not open this door",
  }),
  backend_unreachable: backend(502, {
    says: "The backend cannot be reached",
    hint: "is it running, and is the worker's --backend-url right?",
  }),
  backend_broke_off: backend(502, {
    says: "The backend broke off",
    hint: "the backend's log tells why: often out of memory",
  }),
  backend_invalid: backend(502, {
    says: "The backend's answer is not HTTP/1.1",
    hint: "is --backend-url an HTTP server, and http or https as it should be?",
  }),
  provider_unreachable: provider(502, {
    says: "The provider cannot be reached",
    hint: "no worker is asked instead; the log names the endpoint and what failed: its name, address or certificate",
  }),
  provider_broke_off: provider(502, {
    says: "The provider broke off",
    hint: "no worker is asked instead, and the provider may have seen the request: ask whoever runs it",
  }),
  provider_invalid: provider(502, {
    says: "The provider's answer is not HTTP/1.1",
    hint: "no worker is asked instead; look at the provider's answer with curl --http1.1 -v",
  }),
  provider_timeout: provider(504, {
    says: "The provider's answer did not begin in time",
    hint: "no worker is asked instead; raise --request-timeout, or ask the provider",
  }),
  request_timeout: backend(504, {
    retryable: false,
    says: "The answer did not begin in time",
    hint: "raise --request-timeout, or find out what the backend is doing",
  }),
  response_stalled: backend(504, {
    retryable: false,
    says: "The answer stopped",
    hint: "never sent, as the answer had begun: --response-idle-timeout",
  }),
};

export type FailureCode = keyof typeof TABLE;

export const FAILURES: Readonly<Record<FailureCode, FailureEntry>> = TABLE;
