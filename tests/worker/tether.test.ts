import assert from "node:assert/strict";
import { test } from "node:test";
import { fullJitter } from "../../shared/backoff.ts";
import { DialError } from "../../shared/runtime/ports.ts";
import type { Session, SessionEnd } from "../../worker/session.ts";
import { Tether } from "../../worker/tether.ts";
import { FakeClock } from "../support/fake_clock.ts";

const refused = new DialError("refused", "nobody listens");

/** A relay whose answers the test scripts: each `open` takes the next. Dice of ½: a wait is half of its bound. */
function tetherTo(script: (DialError | SessionEnd)[]) {
  const clock = new FakeClock();
  const delays: number[] = [];
  let opened = 0;
  const tether = new Tether({
    clock,
    backoff: fullJitter({ baseMs: 500, capMs: 30_000, dice: () => 0.5 }),
    apart: (_why, delayMs) => delays.push(delayMs),
    open: async () => {
      const next = script[opened++] ?? refused;
      if (next instanceof DialError) throw next;
      return { ended: Promise.resolve(next), close() {} } as unknown as Session;
    },
  });
  const pass = async (ms: number) => {
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    clock.advance(ms);
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  };
  return { tether, delays, pass, openedTimes: () => opened };
}

const end = (healthyMs: number): SessionEnd => ({ code: 1006, reason: "", healthyMs });

test("waits twice as long after each failure", async () => {
  const { tether, delays, pass, openedTimes } = tetherTo([]);
  const held = tether.hold();
  await pass(0);
  for (const delayMs of [250, 500, 1000, 2000]) {
    assert.equal(delays.at(-1), delayMs);
    await pass(delayMs);
  }
  assert.equal(openedTimes(), 5);
  tether.release();
  await held;
});

test("a session that lasted a minute starts the delays anew, a shorter one does not", async () => {
  const { tether, delays, pass } = tetherTo([refused, refused, end(60_000), end(59_999)]);
  const held = tether.hold();
  await pass(0);
  await pass(250);
  await pass(500);
  await pass(250);
  assert.deepEqual(delays, [250, 500, 250, 500]);
  tether.release();
  await held;
});

test("release() ends a wait at once", async () => {
  const { tether, pass, openedTimes } = tetherTo([]);
  const held = tether.hold();
  await pass(0);
  tether.release();
  await held;
  assert.equal(openedTimes(), 1);
});

test("an error that is no DialError is a mistake of ours and is thrown", async () => {
  const { tether } = tetherTo([]);
  const broken = new Tether({
    clock: new FakeClock(),
    backoff: fullJitter({ baseMs: 500, capMs: 30_000 }),
    apart: () => {},
    open: () => Promise.reject(new TypeError("oops")),
  });
  await assert.rejects(broken.hold(), TypeError);
  tether.release();
});
