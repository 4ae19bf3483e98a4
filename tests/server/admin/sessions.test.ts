import assert from "node:assert/strict";
import { test } from "node:test";
import { SESSION_LIFETIME_MS, SESSIONS_MAX, Sessions } from "../../../server/admin/sessions.ts";
import { FakeClock } from "../../support/fake_clock.ts";

test("a session has 32 random bytes, none like another", () => {
  const sessions = new Sessions(new FakeClock());
  const tokens = Array.from({ length: 20 }, () => sessions.begin());
  for (const token of tokens) assert.equal(Buffer.from(token, "base64url").length, 32, token);
  assert.equal(new Set(tokens).size, tokens.length);
});

test("only what was begun is open", () => {
  const sessions = new Sessions(new FakeClock());
  const token = sessions.begin();
  assert.ok(sessions.isOpen(token));
  for (const other of ["", `${token}A`, token.slice(1), token.toLowerCase(), "undefined"]) {
    assert.ok(!sessions.isOpen(other), other);
  }
});

test("a session ends after 12 hours, however often it was used", () => {
  const clock = new FakeClock();
  const sessions = new Sessions(clock);
  const token = sessions.begin();
  for (let hour = 1; hour < 12; hour++) {
    clock.advance(3_600_000);
    assert.ok(sessions.isOpen(token));
  }
  clock.advance(3_600_000 - 1);
  assert.ok(sessions.isOpen(token));
  clock.advance(1);
  assert.ok(!sessions.isOpen(token));
  assert.equal(SESSION_LIFETIME_MS, 12 * 3_600_000);
});

test("one ends by itself, and ending what is not there does nothing", () => {
  const sessions = new Sessions(new FakeClock());
  const [first, second] = [sessions.begin(), sessions.begin()];
  sessions.end(first);
  sessions.end(first);
  sessions.end("none");
  assert.deepEqual([sessions.isOpen(first), sessions.isOpen(second)], [false, true]);
});

test("one more than 64 ends the oldest", () => {
  const sessions = new Sessions(new FakeClock());
  const tokens = Array.from({ length: SESSIONS_MAX + 3 }, () => sessions.begin());
  const open = tokens.filter((token) => sessions.isOpen(token));
  assert.equal(SESSIONS_MAX, 64);
  assert.deepEqual(open, tokens.slice(3));
});

test("those that are over make room before any that is not", () => {
  const clock = new FakeClock();
  const sessions = new Sessions(clock);
  for (let count = 0; count < SESSIONS_MAX - 1; count++) sessions.begin();
  clock.advance(SESSION_LIFETIME_MS - 1);
  const young = sessions.begin();
  clock.advance(1);
  const younger = Array.from({ length: SESSIONS_MAX - 1 }, () => sessions.begin());
  assert.ok([young, ...younger].every((token) => sessions.isOpen(token)));
});
