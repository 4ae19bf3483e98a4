import assert from "node:assert/strict";
import { RelayProgram } from "./program.ts";

/** What the relay's operator sees: a relay that a test may ask for its workers, their slots and its line. */

export const ADMIN_TOKEN = "admin-token-of-the-tests";
const HEADERS = { authorization: `Bearer ${ADMIN_TOKEN}` };

const LOOK_INTERVAL_MS = 10;

export interface WorkerReport {
  worker_id: string;
  provider: string;
  worker_name: string;
  models: string[];
  max_concurrent: number;
  reported_load: number;
  in_flight_count: number;
  is_draining: boolean;
  endpoint_prefixes: string[];
  labels: Record<string, unknown>;
  link_form: string;
  peer: string;
}

/** A relay with an admin token. */
export function startRelay(flags: string[] = []): Promise<RelayProgram> {
  return RelayProgram.start(flags, { env: { MODELRELAY_ADMIN_TOKEN: ADMIN_TOKEN } });
}

/** End it. @throws Error when it had a fault: nothing that a test does to it may be one */
export async function endRelay(relay: RelayProgram | undefined): Promise<void> {
  await relay?.kill();
  assert.doesNotMatch(relay?.stderr ?? "", / ERROR |Uncaught|\n {4}at /);
}

export async function workersOf(relay: RelayProgram): Promise<WorkerReport[]> {
  const answer = await fetch(`${relay.url}/admin/workers`, { headers: HEADERS });
  return ((await answer.json()) as { workers: WorkerReport[] }).workers;
}

/** Wait until the workers are as `wanted`, and return them. */
export async function workersWhen(
  relay: RelayProgram,
  wanted: (workers: WorkerReport[]) => boolean,
  withinMs = 3000,
): Promise<WorkerReport[]> {
  return await ask(() => workersOf(relay), wanted, withinMs);
}

/** Wait until every slot is free: at once, not after a time limit. */
export async function slotsFree(relay: RelayProgram, withinMs = 1000): Promise<void> {
  await workersWhen(relay, (workers) => workers.every((worker) => worker.in_flight_count === 0), withinMs);
}

/** Wait until this many requests wait in the line. */
export async function lineHas(relay: RelayProgram, length: number): Promise<void> {
  const health = async () => {
    const answer = await fetch(`${relay.url}/health`, { headers: HEADERS });
    return (await answer.json()) as { queue_depth: number };
  };
  await ask(health, ({ queue_depth }) => queue_depth === length);
}

async function ask<T>(look: () => Promise<T>, wanted: (value: T) => boolean, withinMs = 3000): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const value = await look();
    if (wanted(value)) return value;
    if (performance.now() > deadline)
      throw new Error(`Waited ${withinMs} ms, found ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_INTERVAL_MS));
  }
}
