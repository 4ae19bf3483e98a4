import assert from "node:assert/strict";
import { test } from "node:test";
import { addResponseHeaders, relayHeaders, requestPairs } from "../../shared/headers.ts";
import { sessionsIn, setsSession, withoutSession } from "../../shared/session_cookie.ts";

for (const [cookies, sessions, rest] of [
  ["", [], ""],
  ["a=1; b=2", [], "a=1; b=2"],
  ["signalbox_session=x", ["x"], ""],
  ["signalbox_session=x; a=1", ["x"], "a=1"],
  ["a=1; signalbox_session=x", ["x"], "a=1"],
  ["a=1; signalbox_session=x; b=2", ["x"], "a=1; b=2"],
  // Byte for byte: whatever else is between the others.
  ["a=1;b= 2 ;; signalbox_session=x;c", ["x"], "a=1;b= 2 ;;c"],
  ["signalbox_session=x; signalbox_session=y", ["x", "y"], ""],
  ["a=1; signalbox_session = x ; b=2", ["x"], "a=1; b=2"],
  ["signalbox_session=", [""], ""],
  // Two fields, joined as a runtime may join them.
  ["a=1, signalbox_session=x, b=2", ["x"], "a=1, b=2"],
  // Others whose names are not it.
  ["xsignalbox_session=x", [], "xsignalbox_session=x"],
  ["signalbox_session2=x", [], "signalbox_session2=x"],
  ["Signalbox_Session=x", [], "Signalbox_Session=x"],
  ["a=signalbox_session", [], "a=signalbox_session"],
] as const) {
  test(`the session in a Cookie of ${JSON.stringify(cookies)}`, () => {
    assert.deepEqual(sessionsIn(cookies), sessions);
    assert.equal(withoutSession(cookies), rest);
  });
}

test("no Cookie, no session", () => assert.deepEqual(sessionsIn(null), []));

const CROSSING = { peer: "192.0.2.1", secure: false, trustedPeer: false, consumed: [] };
const cookieOf = (headers: Headers) => requestPairs(headers, CROSSING).filter(([name]) => name === "cookie");

test("requestPairs() lets other cookies cross, and no field that has nothing left", () => {
  assert.deepEqual(cookieOf(new Headers({ cookie: "a=1; signalbox_session=x" })), [["cookie", "a=1"]]);
  assert.deepEqual(cookieOf(new Headers({ cookie: "signalbox_session=x" })), []);
  assert.deepEqual(cookieOf(new Headers({ cookie: "" })), [["cookie", ""]]);
});

test("requestPairs() takes it out of two Cookie fields", () => {
  const headers = new Headers([
    ["cookie", "a=1"],
    ["cookie", "signalbox_session=x"],
    ["cookie", "b=2"],
  ]);
  assert.doesNotMatch(JSON.stringify(cookieOf(headers)), /session/);
  assert.match(JSON.stringify(cookieOf(headers)), /a=1.*b=2/);
});

test("no worker sets a cookie without a name that browsers send as if it were this one", () => {
  const fields = [
    "=signalbox_session=x",
    " = signalbox_session =x; Path=/",
    "=a; signalbox_session=x",
    "signalbox",
  ];
  assert.deepEqual(fields.map(setsSession), [true, true, false, false]);
});

test("no worker sets it", () => {
  const fields = ["signalbox_session=x; Path=/", " signalbox_session =x", "a=signalbox_session", "b=2"];
  assert.deepEqual(fields.map(setsSession), [true, true, false, false]);
  const pairs = fields.map((value): [string, string] => ["Set-Cookie", value.trim()]);
  assert.deepEqual(addResponseHeaders(relayHeaders({}), pairs).getSetCookie(), [
    "a=signalbox_session",
    "b=2",
  ]);
});
