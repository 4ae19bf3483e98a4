import assert from "node:assert/strict";
import { test } from "node:test";
import { AdminDoor } from "../../../server/admin/admin_door.ts";
import { AdminToken } from "../../../server/admin/admin_token.ts";
import { Sessions } from "../../../server/admin/sessions.ts";
import { AuthLimiter } from "../../../server/keys/auth_limiter.ts";
import { trustedProxies } from "../../../server/trusted_proxies.ts";
import { RelayFailure } from "../../../shared/failures.ts";
import { FakeClock } from "../../support/fake_clock.ts";

const TOKEN = "a-token";
const HERE = { peer: "192.0.2.1", secure: false };
const OWN_PAGE = { "sec-fetch-site": "same-origin" };

function makeDoor({ hasToken = true, proxies = [] as string[] } = {}) {
  const clock = new FakeClock();
  const door = new AdminDoor({
    token: new AdminToken(hasToken ? TOKEN : undefined),
    sessions: new Sessions(clock),
    limiter: new AuthLimiter(clock),
    isTrustedProxy: trustedProxies(proxies),
  });
  return { door, clock };
}

/** The code of what is thrown; "" for nothing. */
function codeOf(act: () => unknown): string {
  try {
    act();
    return "";
  } catch (failure) {
    if (failure instanceof RelayFailure) return failure.code;
    throw failure;
  }
}

const headersWith = (extra: Record<string, string>) => new Headers({ host: "relay.test", ...extra });
const arrival = (headers: Record<string, string>, where = {}) => ({
  ...HERE,
  ...where,
  fields: headersWith(headers),
});
const asks = (door: AdminDoor, headers: Record<string, string>, { method = "GET", ...where } = {}) =>
  codeOf(() => door.require(method, arrival(headers, where)));
const guesses = (door: AdminDoor, headers: Record<string, string> = {}, where = {}) =>
  codeOf(() => door.signIn("wrong", arrival(headers, where)));
const cookieOf = (door: AdminDoor) => ({
  cookie: `signalbox_session=${door.signIn(TOKEN, arrival({}))}`,
});

test("a session opens what is only looked at; the rest for the relay's own page alone", () => {
  const { door } = makeDoor();
  const cookie = cookieOf(door);
  assert.equal(asks(door, cookie), "");
  assert.equal(asks(door, cookie, { method: "HEAD" }), "");
  for (const site of ["none", "same-origin"])
    assert.equal(asks(door, { ...cookie, "sec-fetch-site": site }), "");
  for (const site of ["same-site", "cross-site"]) {
    assert.equal(asks(door, { ...cookie, "sec-fetch-site": site }), "admin_forbidden");
  }
  assert.equal(asks(door, cookie, { method: "POST" }), "admin_forbidden");
  assert.equal(asks(door, { ...cookie, origin: "http://evil.test" }, { method: "POST" }), "admin_forbidden");
  assert.equal(asks(door, { ...cookie, origin: "http://relay.test" }, { method: "POST" }), "");
  assert.equal(asks(door, { ...cookie, ...OWN_PAGE }, { method: "POST" }), "");
  assert.equal(asks(door, OWN_PAGE, { method: "POST" }), "admin_forbidden");
  door.signOut(headersWith(cookie));
  assert.equal(asks(door, cookie), "admin_forbidden");
});

// A proxy in front may ask for a password of its own, which browsers then send along.
test("a session counts though there is another Authorization", () => {
  const { door } = makeDoor();
  const headers = { ...cookieOf(door), authorization: "Basic dXNlcjpwYXNz" };
  for (let count = 0; count < 20; count++) assert.equal(asks(door, headers), "");
});

test("ten wrong tokens at once, in Authorization or signing in; then one each six seconds", () => {
  const { door, clock } = makeDoor();
  for (let count = 0; count < 5; count++) {
    assert.equal(asks(door, { authorization: "Bearer wrong" }), "admin_forbidden");
    assert.equal(guesses(door), "admin_forbidden");
  }
  assert.equal(guesses(door), "too_many_attempts");
  assert.equal(asks(door, { authorization: `Bearer ${TOKEN}` }), "too_many_attempts");
  assert.equal(
    codeOf(() => door.signIn(TOKEN, arrival({}))),
    "too_many_attempts",
  );
  assert.equal(guesses(door, {}, { peer: "192.0.2.2" }), "admin_forbidden");
  clock.advance(6_000);
  assert.equal(asks(door, { authorization: `Bearer ${TOKEN}` }), "");
});

test("who is signed in is not locked out by a guesser beside them, and no credential is no guess", () => {
  const { door } = makeDoor();
  const cookie = cookieOf(door);
  for (let count = 0; count < 20; count++) assert.equal(asks(door, {}), "admin_forbidden");
  for (let count = 0; count < 10; count++) guesses(door);
  assert.equal(guesses(door), "too_many_attempts");
  assert.equal(asks(door, cookie), "");
});

test("behind a proxy of ours the client's own address counts, and nobody else's word for it", () => {
  const { door } = makeDoor({ proxies: ["10.0.0.0/8"] });
  const front = { peer: "10.0.0.1" };
  const guesser = { "x-forwarded-for": "203.0.113.5, 198.51.100.7, 10.0.0.9" };
  for (let count = 0; count < 10; count++) guesses(door, guesser, front);
  assert.equal(guesses(door, { "x-forwarded-for": "9.9.9.9, 198.51.100.7" }, front), "too_many_attempts");
  assert.equal(guesses(door, { "x-forwarded-for": "203.0.113.5" }, front), "admin_forbidden");
  for (let count = 0; count < 10; count++) guesses(door, { "x-forwarded-for": `203.0.113.${count}` });
  assert.equal(guesses(door, { "x-forwarded-for": "203.0.113.99" }), "too_many_attempts");
});

test("without a token nobody comes in, and nothing is counted", () => {
  const { door } = makeDoor({ hasToken: false });
  assert.equal(door.isOpen, false);
  for (let count = 0; count < 20; count++) {
    for (const authorization of ["Bearer undefined", "Bearer ", "x"]) {
      assert.equal(asks(door, { authorization }), "admin_forbidden");
    }
    assert.equal(
      codeOf(() => door.signIn("", arrival({}))),
      "admin_forbidden",
    );
  }
});

test("TLS is what the relay has itself, or a proxy of ours says", () => {
  const { door } = makeDoor({ proxies: ["10.0.0.0/8"] });
  const isSecure = (proto: string | undefined, where: { peer?: string; secure?: boolean }) =>
    door.isSecure(arrival(proto ? { "x-forwarded-proto": proto } : {}, where));
  assert.equal(isSecure(undefined, { secure: true }), true);
  assert.equal(isSecure("http", { secure: true }), true);
  assert.equal(isSecure("https", {}), false);
  assert.equal(isSecure("https", { peer: "10.0.0.1" }), true);
  assert.equal(isSecure("http", { peer: "10.0.0.1" }), false);
  assert.equal(isSecure(undefined, { peer: "10.0.0.1" }), false);
});

test("behind a proxy of ours the host is what it says", () => {
  const { door } = makeDoor({ proxies: ["10.0.0.0/8"] });
  const headers = { origin: "https://public.test", "x-forwarded-host": "public.test" };
  const check = (peer: string) => codeOf(() => door.requireSameOrigin(arrival(headers, { peer })));
  assert.equal(check("10.0.0.1"), "");
  assert.equal(check("192.0.2.1"), "admin_forbidden");
});
