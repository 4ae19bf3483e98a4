import type { Clock } from "../../../shared/clock.ts";
import type { HttpRequest } from "./http_connection.ts";
import { lastValue } from "./http_text.ts";

/** Three wrong secrets, each this soon after the one before, shut an identity out for as long. */
const FAILURE_WINDOW_MS = 250;
const MAX_FAILURES = 3;

export interface AdmissionOptions {
  clock: Clock;
  provider: string;
  workerSecret?: string;
  apiKeys?: string[];
}

/** With `status`: an HTTP answer instead of the upgrade. Without: the reason of a close after it. */
export interface AdmissionRefusal {
  status?: number;
  text: string;
}

/** Who may become a worker, in ModelRelay's order of checks. */
export class WorkerAdmission {
  readonly #failures = new Map<string, { count: number; lastMs: number }>();

  constructor(readonly options: AdmissionOptions) {}

  /** @throws SyntaxError when a known parameter stands twice. */
  query({ query }: HttpRequest): { provider: string; secret: string | undefined } {
    const parameters = new URLSearchParams(query);
    for (const name of ["provider", "worker_secret"]) {
      if (parameters.getAll(name).length > 1) throw new SyntaxError(`duplicate field \`${name}\``);
    }
    return {
      provider: parameters.get("provider") ?? "local",
      secret: parameters.get("worker_secret") ?? undefined,
    };
  }

  refusal(request: HttpRequest): AdmissionRefusal | undefined {
    const handshake = handshakeProblem(request);
    if (handshake) return { status: 400, text: handshake };
    try {
      const { provider, secret } = this.query(request);
      return this.#secretProblem(request, provider, secret);
    } catch (error) {
      return { status: 400, text: `Failed to deserialize query string: ${(error as Error).message}` };
    }
  }

  #secretProblem(
    request: HttpRequest,
    provider: string,
    inQuery: string | undefined,
  ): AdmissionRefusal | undefined {
    const identity = identityOf(request);
    if (this.#isBlocked(identity)) return { text: "worker authentication temporarily rate limited" };
    const inHeader = lastValue(request.head, "x-worker-secret");
    const secret = inHeader !== undefined && /^[\x20-\x7e]*$/.test(inHeader) ? inHeader : inQuery;
    const refused = { text: "worker authentication failed" };
    if (secret === undefined) return refused;
    const { workerSecret, provider: own, apiKeys = [] } = this.options;
    if ((provider === own && secret === workerSecret) || apiKeys.includes(secret)) {
      this.#failures.delete(identity);
      return undefined;
    }
    this.#fail(identity);
    return refused;
  }

  #isBlocked(identity: string): boolean {
    const failures = this.#failures.get(identity);
    return failures !== undefined && failures.count >= MAX_FAILURES && this.#isRecent(failures.lastMs);
  }

  #fail(identity: string): void {
    const before = this.#failures.get(identity);
    const count = before && this.#isRecent(before.lastMs) ? before.count + 1 : 1;
    this.#failures.set(identity, { count, lastMs: this.options.clock.nowMs() });
  }

  #isRecent(timeMs: number): boolean {
    return this.options.clock.nowMs() - timeMs < FAILURE_WINDOW_MS;
  }
}

function identityOf({ head }: HttpRequest): string {
  const forwardedFor = lastValue(head, "x-forwarded-for") ?? "";
  const first = forwardedFor
    .split(",")
    .map((element) => element.trim())
    .find((element) => element !== "");
  return lastValue(head, "forwarded") ?? first ?? "unknown-client";
}

function handshakeProblem({ head }: HttpRequest): string | undefined {
  const has = (name: string, word: string) => lastValue(head, name)?.toLowerCase().includes(word) ?? false;
  if (!has("connection", "upgrade")) return "Connection header did not include 'upgrade'";
  if (!has("upgrade", "websocket")) return "`Upgrade` header did not include 'websocket'";
  if (!has("sec-websocket-version", "13")) return "`Sec-WebSocket-Version` header did not include '13'";
  return lastValue(head, "sec-websocket-key") === undefined
    ? "`Sec-WebSocket-Key` header missing"
    : undefined;
}
