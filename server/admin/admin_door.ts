import { RelayFailure } from "../../shared/failures.ts";
import type { FieldReader } from "../../shared/received_fields.ts";
import type { RequestContext } from "../../shared/runtime/ports.ts";
import { sessionsIn } from "../../shared/session_cookie.ts";
import type { AuthLimiter } from "../keys/auth_limiter.ts";
import { clientAddress } from "../trusted_proxies.ts";
import type { AdminToken } from "./admin_token.ts";
import { isForeign, isSameOrigin } from "./same_origin.ts";
import type { Sessions } from "./sessions.ts";

export interface AdminDoorOptions {
  token: AdminToken;
  sessions: Sessions;
  limiter: AuthLimiter;
  isTrustedProxy(peer: string): boolean;
}

/** Where a request came in, as far as this door has to know. */
export type Arrival = Pick<RequestContext, "peer" | "secure" | "fields">;

/** Lets in who may see the relay itself: who shows the admin token, or a session that began with it. */
export class AdminDoor {
  readonly #options: AdminDoorOptions;

  constructor(options: AdminDoorOptions) {
    this.#options = options;
  }

  /** Whether there is a token at all: without one nobody comes in. */
  get isOpen(): boolean {
    return this.#options.token.isSet;
  }

  /** Nobody is refused, and nothing is counted. */
  isShown(headers: FieldReader): boolean {
    return this.#options.token.isShown(headers) || this.hasSession(headers);
  }

  hasSession(headers: FieldReader): boolean {
    return sessionsIn(headers.get("cookie")).some((token) => this.#options.sessions.isOpen(token));
  }

  /** For what the operator may call. @throws RelayFailure `admin_forbidden`, `too_many_attempts` */
  require(method: string, arrival: Arrival): void {
    const { fields } = arrival;
    const hasSession = this.hasSession(fields);
    // The cookie comes along when a page of another port asks. Who types the address may look; what is more than looking
    // has to be the dashboard's.
    const looks = method === "GET" || method === "HEAD";
    const mayUseSession = looks ? !isForeign(fields) : this.#isSameOrigin(arrival);
    if (hasSession && mayUseSession) return;
    if (!fields.has("authorization")) throw hasSession ? FOREIGN() : new RelayFailure("admin_forbidden");
    this.#counted(arrival, () => {
      if (!this.#options.token.isShown(fields)) throw new RelayFailure("admin_forbidden");
    });
  }

  /** Begin a session. Gives what its cookie holds. @throws RelayFailure `admin_forbidden`, `too_many_attempts` */
  signIn(token: string, arrival: Arrival): string {
    return this.#counted(arrival, () => {
      if (!this.#options.token.is(token)) throw new RelayFailure("admin_forbidden");
      return this.#options.sessions.begin();
    });
  }

  signOut(headers: FieldReader): void {
    for (const token of sessionsIn(headers.get("cookie"))) this.#options.sessions.end(token);
  }

  /** @throws RelayFailure `too_many_attempts` */
  requirePatience(arrival: Arrival): void {
    const waitMs = this.#options.limiter.retryAfterMs(this.#addressOf(arrival));
    if (waitMs > 0) throw new RelayFailure("too_many_attempts", { retryAfterS: waitMs / 1000 });
  }

  /** @throws RelayFailure `admin_forbidden` for what another page sent, or nobody knows who */
  requireSameOrigin(arrival: Arrival): void {
    if (!this.#isSameOrigin(arrival)) throw FOREIGN();
  }

  /** Whether the browser is on TLS, as far as the relay or a proxy of ours can tell. */
  isSecure({ peer, secure, fields }: Arrival): boolean {
    if (secure || !this.#options.isTrustedProxy(peer)) return secure;
    return /^https\b/.test(fields.get("x-forwarded-proto") ?? "");
  }

  #isSameOrigin({ peer, fields }: Arrival): boolean {
    const told = this.#options.isTrustedProxy(peer) ? fields.get("x-forwarded-host") : null;
    return isSameOrigin({ headers: fields, host: told ?? fields.get("host") ?? "" });
  }

  /** Before the credential is looked at, as a guesser must not learn that it was right. */
  #counted<T>(arrival: Arrival, check: () => T): T {
    this.requirePatience(arrival);
    try {
      return check();
    } catch (failure) {
      // Where nothing can be guessed, nobody guesses.
      if (this.isOpen) this.#options.limiter.failed(this.#addressOf(arrival));
      throw failure;
    }
  }

  #addressOf({ peer, fields }: Arrival): string {
    return clientAddress(peer, fields, this.#options.isTrustedProxy);
  }
}

const FOREIGN = () =>
  new RelayFailure("admin_forbidden", { detail: "it does not come from the dashboard's own page" });
