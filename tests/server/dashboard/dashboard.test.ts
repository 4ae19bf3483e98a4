import assert from "node:assert/strict";
import { test } from "node:test";
import { AdminDoor } from "../../../server/admin/admin_door.ts";
import { AdminToken } from "../../../server/admin/admin_token.ts";
import { Sessions } from "../../../server/admin/sessions.ts";
import { Dashboard } from "../../../server/dashboard/dashboard.ts";
import { AuthLimiter } from "../../../server/keys/auth_limiter.ts";
import { RelayFailure } from "../../../shared/failures.ts";
import { FakeClock } from "../../support/fake_clock.ts";

/** From the page itself, with a body that is announced. */
const HERE = {
  peer: "192.0.2.1",
  secure: false,
  fields: new Headers({ "sec-fetch-site": "same-origin", "content-length": "20" }),
};

function makeDashboard() {
  const clock = new FakeClock();
  const door = new AdminDoor({
    token: new AdminToken("a-token"),
    sessions: new Sessions(clock),
    limiter: new AuthLimiter(clock),
    isTrustedProxy: () => false,
  });
  return { dashboard: new Dashboard({ isOn: true, door, clock }), clock };
}

/** `text`: what reading it gives. */
function signInRequest(text: () => Promise<string>): Request {
  return { text } as unknown as Request;
}

const hasCode = (code: string) => (error: unknown) => error instanceof RelayFailure && error.code === code;

test("a token that does not arrive is waited for for ten seconds", async () => {
  const { dashboard, clock } = makeDashboard();
  const signingIn = dashboard.signIn(
    signInRequest(() => new Promise(() => {})),
    HERE,
  );
  const refused = assert.rejects(signingIn, hasCode("upload_timeout"));
  assert.equal(clock.pending, 1);
  clock.advance(10_000);
  await refused;
});

test("one that arrives leaves no timer", async () => {
  const { dashboard, clock } = makeDashboard();
  const { status } = await dashboard.signIn(
    signInRequest(async () => '{"token":"a-token"}'),
    HERE,
  );
  assert.equal(status, 204);
  assert.equal(clock.pending, 0);
});

test("who may not try is refused before the body is read", async () => {
  const { dashboard } = makeDashboard();
  for (let count = 0; count < 10; count++) {
    const wrong = signInRequest(async () => '{"token":"wrong"}');
    await assert.rejects(dashboard.signIn(wrong, HERE), hasCode("admin_forbidden"));
  }
  const unread = signInRequest(() => assert.fail("it was read"));
  await assert.rejects(dashboard.signIn(unread, HERE), hasCode("too_many_attempts"));
});
