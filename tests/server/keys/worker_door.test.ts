import assert from "node:assert/strict";
import { test } from "node:test";
import { AuthLimiter } from "../../../server/keys/auth_limiter.ts";
import { type WorkerAdmission, WorkerSecrets } from "../../../server/keys/worker_secrets.ts";
import { FakeClock } from "../../support/fake_clock.ts";

const SECRETS = new WorkerSecrets([
  { secret: "any" },
  { secret: "home", provider: "home" },
  { secret: "bound", provider: "home", models: ["a"] },
  { secret: "bound", provider: "home", models: ["b"] },
  { secret: "bound", provider: "lab" },
  { secret: "one variant", provider: "home/4090" },
]);

const CASES: [secret: string | undefined, provider: string, expected: WorkerAdmission][] = [
  ["any", "home", { ok: true }],
  ["any", "whatever", { ok: true }],
  ["home", "home", { ok: true }],
  ["home", "lab", { ok: false }],
  ["home", "home/4090", { ok: true }],
  ["home", "homes", { ok: false }],
  ["home", "Home", { ok: false }],
  ["one variant", "home/4090", { ok: true }],
  ["one variant", "home", { ok: false }],
  ["one variant", "home/3090", { ok: false }],
  ["one variant", "home/4090/a", { ok: false }],
  ["bound", "home", { ok: true, models: new Set(["a", "b"]) }],
  ["bound", "lab", { ok: true }],
  ["bound", "attic", { ok: false }],
  ["an", "home", { ok: false }],
  ["any ", "home", { ok: false }],
  ["", "home", { ok: false }],
  [undefined, "home", { ok: false }],
];

test("a secret opens the door for its providers and models, and nothing else does", () => {
  for (const [secret, provider, expected] of CASES) {
    assert.deepEqual(SECRETS.check(secret, provider), expected, `${secret} ${provider}`);
  }
});

test("without secrets every worker comes in", () => {
  const open = new WorkerSecrets([]);
  assert.ok(open.open && !SECRETS.open);
  assert.deepEqual(open.check(undefined, "local"), { ok: true });
  assert.deepEqual(open.check("needless", "local"), { ok: true });
});

test("ten wrong tries are free, then one comes back each six seconds", () => {
  const clock = new FakeClock();
  const limiter = new AuthLimiter(clock);
  for (let i = 0; i < 10; i++) {
    assert.equal(limiter.retryAfterMs("10.0.0.1"), 0);
    limiter.failed("10.0.0.1");
  }
  assert.equal(limiter.retryAfterMs("10.0.0.1"), 6000);
  clock.advance(2000);
  assert.equal(limiter.retryAfterMs("10.0.0.1"), 4000);
  clock.advance(4000);
  assert.equal(limiter.retryAfterMs("10.0.0.1"), 0);
  limiter.failed("10.0.0.1");
  assert.equal(limiter.retryAfterMs("10.0.0.1"), 6000);
  clock.advance(3_600_000);
  for (let i = 0; i < 10; i++) limiter.failed("10.0.0.1");
  assert.equal(limiter.retryAfterMs("10.0.0.1"), 6000);
});

test("peers are told apart by IPv4 address and by IPv6 /64", () => {
  const limiter = new AuthLimiter(new FakeClock(), 1);
  for (const peer of ["10.0.0.1", "2001:db8:0:1::1", ""]) limiter.failed(peer);
  for (const peer of ["10.0.0.1", "::ffff:10.0.0.1", "2001:db8:0:1:ffff::2", ""]) {
    assert.ok(limiter.retryAfterMs(peer) > 0, peer);
  }
  for (const peer of ["10.0.0.2", "2001:db8:0:2::1"]) assert.equal(limiter.retryAfterMs(peer), 0, peer);
});

test("the table of peers is bounded: the one that failed longest ago goes first", () => {
  const limiter = new AuthLimiter(new FakeClock(), 1);
  const peer = (i: number) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`;
  for (let i = 0; i < 10_000; i++) limiter.failed(peer(i));
  limiter.failed(peer(0));
  limiter.failed(peer(10_000));
  assert.equal(limiter.retryAfterMs(peer(1)), 0);
  for (const i of [0, 2, 10_000]) assert.ok(limiter.retryAfterMs(peer(i)) > 0, `${i}`);
});
