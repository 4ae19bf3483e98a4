import assert from "node:assert/strict";
import { test } from "node:test";
import { decide } from "../../../server/routing/decide.ts";
import type { Measured, Preferences } from "../../../server/routing/types.ts";
import {
  fleetOf,
  type KnownFacts,
  percentiles,
  type RequestFacts,
  request,
  type WorkerFacts,
} from "./fleet_builder.ts";

/** A fleet, a request, and the order in which the workers are tried. */
export interface OrderCase {
  name: string;
  fleet: readonly WorkerFacts[];
  request?: RequestFacts;
  preferences?: Preferences;
  known?: KnownFacts;
  /** `d 2 1`: dispatched, `w`: waits, `r`: refused; the workers best first, `2:n` with another model than `m`. */
  expect: string;
}

export function testOrders(group: string, cases: readonly OrderCase[]): void {
  for (const { name, fleet, request: facts, preferences, known, expect } of cases) {
    test(`${group}: ${name}`, () => {
      const asked = request({ ...facts, ...(preferences && { preferences }) });
      const decision = decide(asked, fleetOf(fleet, [], known));
      const candidates = decision.type === "refuse" ? [] : decision.candidates;
      const names = candidates.map(
        ({ worker, model }) => `${worker.joinedAt}${model === "m" ? "" : `:${model}`}`,
      );
      assert.equal([decision.type[0], ...names].join(" "), expect);
    });
  }
}

/** A worker of this provider. */
export const of = (provider: string, facts: WorkerFacts = {}): WorkerFacts => ({ provider, ...facts });
export const home = of("home");
export const lab = of("lab");
export const cloud = of("cloud");
export const busy: WorkerFacts = { inFlight: 1 };
/** Half of its slots are taken. */
export const loaded: WorkerFacts = { maxConcurrent: 4, inFlight: 2 };
export const price = (prompt: number, completion = 0) => ({ labels: { price: { prompt, completion } } });

export const tokens = (perSecond: number): Measured => ({ throughput: percentiles(perSecond) });
export const seconds = (toFirst: number): Measured => ({ latency: percentiles(toFirst) });
/** What was measured of providers with `m`. */
export const measured = (found: Readonly<Record<string, Measured>>): KnownFacts => ({
  measured: Object.entries(found).map(([provider, values]) => [provider, "m", values]),
});
/** Who had the last request of session `s` for `m`. */
export const stickyTo = (workerId: string): KnownFacts => ({ sticky: [["s", "m", workerId]] });
