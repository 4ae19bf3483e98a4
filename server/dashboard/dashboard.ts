import type { Clock } from "../../shared/clock.ts";
import { RelayFailure } from "../../shared/failures.ts";
import { contentLength } from "../../shared/headers.ts";
import { log } from "../../shared/log.ts";
import type { FieldReader } from "../../shared/received_fields.ts";
import { SESSION_COOKIE } from "../../shared/session_cookie.ts";
import { within } from "../../shared/within.ts";
import type { AdminDoor, Arrival } from "../admin/admin_door.ts";
import { SESSION_LIFETIME_MS } from "../admin/sessions.ts";
import { CLOSED, DASHBOARD, type Document, SIGN_IN } from "./documents.ts";

export interface DashboardOptions {
  /** Off: nothing is here. */
  isOn: boolean;
  door: AdminDoor;
  clock: Clock;
}

/** A token and what JSON or a form adds. Anybody may send it: it must not fill the memory, nor stay. */
const SIGN_IN_MAX_BYTES = 4096;
const SIGN_IN_MAX_MS = 10_000;

/** Nothing of it is for a cache, another page's frame or another page's eyes. */
const HEADERS = {
  "cache-control": "no-store",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
};

/** `/dashboard` and what is below it. What its page shows comes from `/admin` and `/health`. */
export class Dashboard {
  readonly #options: DashboardOptions;

  constructor(options: DashboardOptions) {
    this.#options = options;
  }

  /** The page that fits who asks. */
  page({ fields }: Arrival): Response {
    this.#requireOn();
    const { html, policy } = this.#documentFor(fields);
    return new Response(html, {
      headers: { ...HEADERS, "content-type": "text/html; charset=utf-8", "content-security-policy": policy },
    });
  }

  /** @throws RelayFailure */
  async signIn(request: Request, arrival: Arrival): Promise<Response> {
    this.#requireOn();
    const { door } = this.#options;
    door.requirePatience(arrival);
    door.requireSameOrigin(arrival);
    const session = door.signIn(await this.#tokenIn(request, arrival), arrival);
    log.info("Somebody signed in at the dashboard", { peer: arrival.peer });
    return this.#withCookie(`${session}; Max-Age=${SESSION_LIFETIME_MS / 1000}`, arrival);
  }

  /** @throws RelayFailure */
  signOut(arrival: Arrival): Response {
    this.#requireOn();
    this.#options.door.requireSameOrigin(arrival);
    this.#options.door.signOut(arrival.fields);
    return this.#withCookie("; Max-Age=0", arrival);
  }

  #requireOn(): void {
    if (!this.#options.isOn) throw new RelayFailure("not_found");
  }

  #documentFor(fields: FieldReader): Document {
    const { door } = this.#options;
    if (!door.isOpen) return CLOSED;
    return door.hasSession(fields) ? DASHBOARD : SIGN_IN;
  }

  #withCookie(value: string, arrival: Arrival): Response {
    const secure = this.#options.door.isSecure(arrival) ? "; Secure" : "";
    const cookie = `${SESSION_COOKIE}=${value}; Path=/; HttpOnly; SameSite=Strict${secure}`;
    return new Response(null, { status: 204, headers: { ...HEADERS, "set-cookie": cookie } });
  }

  /** From a form or from JSON; "" where there is none. @throws RelayFailure */
  async #tokenIn(request: Request, { fields }: Arrival): Promise<string> {
    const length = contentLength(fields.get("content-length"));
    if (length === undefined || length > SIGN_IN_MAX_BYTES) throw new RelayFailure("body_too_large");
    const reading = request.text();
    if (!(await within(this.#options.clock, SIGN_IN_MAX_MS, reading)))
      throw new RelayFailure("upload_timeout");
    const text = await reading;
    const isForm = fields.get("content-type")?.startsWith("application/x-www-form-urlencoded");
    return isForm ? (new URLSearchParams(text).get("token") ?? "") : tokenInJson(text);
  }
}

function tokenInJson(text: string): string {
  try {
    const { token } = JSON.parse(text) as { token?: unknown };
    return typeof token === "string" ? token : "";
  } catch (cause) {
    throw new RelayFailure("bad_request", { detail: "the body is not JSON", cause });
  }
}
