import assert from "node:assert/strict";
import { test } from "node:test";
import { FAILURES, type FailureCode, RelayFailure, toFailure } from "../../shared/failures.ts";

const codes = Object.keys(FAILURES) as FailureCode[];

test("every failure has a status, and words with the grammar of messages", () => {
  assert.ok(codes.length > 0);
  for (const code of codes) {
    const { status, says, hint, retryable, source } = FAILURES[code];
    assert.match(code, /^[a-z_]+$/);
    assert.ok(status >= 400 && status <= 599, code);
    assert.match(says, /^[A-Z].*[^.\s]$/, code);
    assert.match(hint, /^[^A-Z].*[^.\s]$/, code);
    if (retryable) assert.ok(source === "worker" || source === "backend", code);
  }
});

/** The tables of the contracts of the proxy, of routing and of the override. */
const PROMISED: Partial<Record<FailureCode, number>> = {
  body_too_large: 413,
  plain_link_text_only: 415,
  upgrade_unsupported: 501,
  no_eligible_worker: 404,
  model_not_found: 404,
  line_full: 503,
  wait_expired: 503,
  request_timeout: 504,
  worker_lost: 502,
  backend_unreachable: 502,
  backend_broke_off: 502,
  worker_invalid: 502,
  shutting_down: 503,
  override_invalid: 400,
  override_not_allowed: 403,
  override_not_listed: 403,
  provider_unreachable: 502,
  provider_timeout: 504,
};

test("the promised codes have the promised statuses", () => {
  for (const [code, status] of Object.entries(PROMISED))
    assert.equal(FAILURES[code as FailureCode].status, status);
});

test("a failure carries its entry, and what is known better", () => {
  const cause = new Error("ECONNREFUSED 10.0.0.1");
  const failure = new RelayFailure("line_full", { detail: "100 are waiting", retryAfterS: 7, cause });
  assert.equal(failure.message, "Too many requests are waiting for a worker: 100 are waiting");
  assert.deepEqual(
    [failure.status, failure.source, failure.retryable, failure.retryAfterS],
    [503, "relay", false, 7],
  );
  assert.equal(failure.cause, cause);
  assert.equal(new RelayFailure("request_timeout", { source: "provider" }).source, "provider");
});

test("what nobody foresaw is an internal error that tells nothing", () => {
  const failure = toFailure(new TypeError("secret.x is undefined"));
  assert.deepEqual(
    [failure.code, failure.status, failure.message],
    ["internal_error", 500, "The relay has a fault"],
  );
  const known = new RelayFailure("not_found");
  assert.equal(toFailure(known), known);
});
