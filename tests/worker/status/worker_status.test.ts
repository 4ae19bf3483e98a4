import assert from "node:assert/strict";
import { test } from "node:test";
import { Meter } from "../../../worker/status/meter.ts";
import { WorkerStatus } from "../../../worker/status/worker_status.ts";

function statusOf(...relayUrls: string[]) {
  const time = { ms: 0 };
  const meter = new Meter();
  const status = new WorkerStatus({ relayUrls, maxConcurrency: 4, meter, nowMs: () => time.ms });
  return { time, meter, status };
}

test("before there is a backend it tells for how long one is looked for", () => {
  const { time, status } = statusOf("http://a");
  time.ms = 11_500;
  assert.equal(status.line(), "looking for a backend on this machine, 12 s so far");
  status.found();
  assert.match(
    status.line(),
    /^waiting for the relay, connecting · 0 of 4 in flight · 0 requests · 0 tokens\/s$/,
  );
});

test("the next try counts down, and of several relays the next one's", () => {
  const { time, status } = statusOf("http://a", "http://b");
  status.found();
  status.apart("http://a", 9000);
  status.apart("http://b", 4000);
  assert.match(status.line(), /^0 of 2 relays, next try in 4 s · /);
  time.ms = 4500;
  assert.match(status.line(), /^0 of 2 relays, next try in 5 s · /);
  status.registered("http://b");
  assert.match(status.line(), /^1 of 2 relays, next try in 5 s · /);
  status.registered("http://a");
  assert.match(status.line(), /^connected to all 2 · /);
});

test("a backend that is away is told until it is back", () => {
  const { status } = statusOf("http://a");
  status.found();
  status.registered("http://a");
  status.backend(false);
  assert.match(status.line(), /^connected · the backend does not answer · /);
  status.backend(true);
  assert.doesNotMatch(status.line(), /backend/);
});

test("tokens per second are those of the last three seconds", () => {
  const { time, meter, status } = statusOf("http://a");
  status.found();
  const rate = () => Number(/(\d+) tokens\/s$/.exec(status.line())![1]);
  assert.equal(rate(), 0);
  for (let i = 0; i < 20; i++) {
    time.ms += 250;
    meter.tokens += 10;
    rate();
  }
  assert.equal(rate(), 40);
  for (let i = 0; i < 13; i++) {
    time.ms += 250;
    rate();
  }
  assert.equal(rate(), 0);
});
