import assert from "node:assert/strict";
import { Fleet, type FleetWorker, type Registration } from "../../server/fleet.ts";
import { WaitingLine } from "../../server/waiting_line.ts";
import { type FailureCode, RelayFailure } from "../../shared/failures.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { request } from "./routing/fleet_builder.ts";

interface Ask {
  model?: string;
  excluded?: string[];
  bytes?: number;
  waitMs?: number;
  arrivedAtMs?: number;
  signal?: AbortSignal;
}

/** A fleet and a line. `crowd`: workers that would serve `m` but for one thing each. */
export function lineSetUp({ limits = { countMax: 200, bytesMax: 1e6 }, crowd = false } = {}) {
  const clock = new FakeClock();
  const fleet = new Fleet<string>({ clock });
  const line = new WaitingLine<string>({ clock, fleet, limits });
  const join = (facts: Partial<Registration<string>> = {}) =>
    fleet.join({
      name: "box",
      provider: "local",
      models: ["m"],
      endpointPrefixes: [],
      maxConcurrent: 1,
      capabilities: new Set(),
      linkForm: "framed",
      link: "a link",
      ...facts,
    });
  const enter = ({ model = "m", excluded = [], bytes = 0, waitMs = 30_000, arrivedAtMs, signal }: Ask = {}) =>
    line.enter({
      request: request({ model, excluded }),
      bytes,
      arrivedAtMs: arrivedAtMs ?? clock.nowMs(),
      deadlineMs: clock.nowMs() + waitMs,
      ...(signal && { signal }),
    });
  const tools = { clock, fleet, line, join, enter, abort: new AbortController() };
  return { ...tools, ...(crowd ? crowdOf(fleet, join) : ({} as ReturnType<typeof crowdOf>)) };
}

function crowdOf(fleet: Fleet<string>, join: (facts?: Partial<Registration<string>>) => FleetWorker<string>) {
  const [other, drained, sick, busy] = [join({ models: ["n"] }), join(), join(), join()];
  const loaded = join({ reportedLoad: 1 });
  fleet.setDraining(drained);
  fleet.setHealthy(sick, false);
  return { other, drained, sick, loaded, held: fleet.reserve({ worker: busy }) };
}

/** The failure that a promise is rejected with, which has this code. */
export async function failedWith(promise: Promise<unknown>, code: FailureCode): Promise<RelayFailure> {
  const failure = await promise.then(
    () => assert.fail(`wanted ${code}, found no failure`),
    (thrown) => thrown,
  );
  assert.ok(failure instanceof RelayFailure, String(failure));
  assert.equal(failure.code, code);
  return failure;
}
