import assert from "node:assert/strict";
import { ADMIN_TOKEN } from "./admin_view.ts";
import { ask } from "./raw_client.ts";
import type { RawResponse } from "./raw_client_response.ts";

/** Signing in at the dashboard as a browser does, with requests whose every byte a test knows. */

/** What browsers add to a POST of the relay's own page. */
export const OWN_PAGE = { "sec-fetch-site": "same-origin" };

/** POST to `/dashboard/sign-in`. */
export function signIn(
  port: number,
  { token = ADMIN_TOKEN, headers = OWN_PAGE as Record<string, string> } = {},
) {
  const all = { "content-type": "application/json", ...headers };
  return ask(port, { path: "/dashboard/sign-in", headers: all, body: { token } });
}

/** The `Cookie` that a browser shows from then on. */
export function cookieIn(response: RawResponse): { cookie: string } {
  assert.equal(response.status, 204, response.body);
  const cookie = /^signalbox_session=[\w-]{43}(?=;)/.exec(response.headers.get("set-cookie") ?? "")?.[0];
  assert.ok(cookie);
  return { cookie };
}
