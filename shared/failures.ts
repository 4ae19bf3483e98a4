import { FAILURES, type FailureCode, type FailureSource } from "./failure_table.ts";

export { FAILURES, type FailureCode, type FailureSource } from "./failure_table.ts";

export interface FailureOptions {
  /** Where the table's answer is not the one: a deadline may be the relay's or a provider's. */
  source?: FailureSource;
  /** Why: for the log only. */
  cause?: unknown;
  /** For the client, after the table's sentence: never an address, a secret, or text of a foreign program. */
  detail?: string;
  /** The request's member that is to blame, as OpenAI's `param`. */
  param?: string;
  /** For the client, as JSON: the routing funnel and the like. */
  metadata?: Readonly<Record<string, unknown>>;
  /** More headers for the answer: `allow`. */
  headers?: Readonly<Record<string, string>>;
  /** When to try again, where that is known better than in the table. */
  retryAfterS?: number;
}

/** A failure of the table: thrown where it happens, answered by `server/failure_response.ts`. */
export class RelayFailure extends Error {
  override readonly name = "RelayFailure";
  readonly source: FailureSource;
  readonly retryable: boolean;
  readonly status: number;
  readonly retryAfterS: number | undefined;

  constructor(
    readonly code: FailureCode,
    readonly options: FailureOptions = {},
  ) {
    const { says, source, retryable, status, retryAfterS } = FAILURES[code];
    super(options.detail ? `${says}: ${options.detail}` : says, { cause: options.cause });
    this.source = options.source ?? source;
    this.retryable = retryable;
    this.status = status;
    this.retryAfterS = options.retryAfterS ?? retryAfterS;
  }
}

/** Anything that was thrown, as an entry of the table: what is not in it is a fault of ours. */
export function toFailure(thrown: unknown): RelayFailure {
  return thrown instanceof RelayFailure ? thrown : new RelayFailure("internal_error", { cause: thrown });
}
