import assert from "node:assert/strict";
import { test } from "node:test";
import { tellServiceManager } from "../../../shared/service/service_manager.ts";
import { FakeClock } from "../../support/fake_clock.ts";

function start(env: Record<string, string>) {
  const clock = new FakeClock();
  const sent: string[] = [];
  const { promise: stop, resolve } = Promise.withResolvers<void>();
  const told = tellServiceManager({
    stop,
    drainTimeoutMs: 20_000,
    env,
    clock,
    pid: 7,
    send: (assignments) => sent.push(assignments.join(" ")),
  });
  return {
    clock,
    sent,
    async stop() {
      resolve();
      await stop;
    },
    end: () => told[Symbol.dispose](),
  };
}

const NOTIFY = { NOTIFY_SOCKET: "/run/systemd/notify" };

test("nobody is told anything who did not ask", async () => {
  const run = start({ WATCHDOG_USEC: "1000000" });
  run.clock.advance(10_000);
  await run.stop();
  assert.deepEqual(run.sent, []);
  assert.equal(run.clock.pending, 0);
});

test("systemd hears that it is ready, and when it stops how long that takes: longer than draining", async () => {
  const run = start(NOTIFY);
  assert.deepEqual(run.sent, ["READY=1"]);
  assert.equal(run.clock.pending, 0);
  await run.stop();
  assert.deepEqual(run.sent.slice(1), ["STOPPING=1 EXTEND_TIMEOUT_USEC=25000000"]);
});

test("a watchdog hears of it twice in its time, while draining too, and not afterwards", async () => {
  const run = start({ ...NOTIFY, WATCHDOG_USEC: "60000000", WATCHDOG_PID: "7" });
  run.clock.advance(29_999);
  assert.deepEqual(run.sent, ["READY=1"]);
  run.clock.advance(1 + 30_000);
  assert.deepEqual(run.sent, ["READY=1", "WATCHDOG=1", "WATCHDOG=1"]);
  await run.stop();
  run.clock.advance(30_000);
  assert.equal(run.sent.at(-1), "WATCHDOG=1");
  run.end();
  assert.equal(run.clock.pending, 0);
});

for (const [why, env] of [
  ["another process is watched", { WATCHDOG_USEC: "60000000", WATCHDOG_PID: "8" }],
  ["the time is none", { WATCHDOG_USEC: "soon" }],
  ["the time is zero", { WATCHDOG_USEC: "0" }],
] as const) {
  test(`no watchdog is told anything: ${why}`, () => {
    const run = start({ ...NOTIFY, ...env });
    assert.equal(run.clock.pending, 0);
  });
}
