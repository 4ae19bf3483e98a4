import { decide } from "./decide.ts";
import { firstFailed, RULES } from "./eligible.ts";
import { compareWorkers, toCandidates } from "./rank.ts";
import type { Candidate, Decision, FleetSnapshot, Rejection, RouteRequest, WorkerSnapshot } from "./types.ts";

/** A decision with all that `decide` leaves out for its cost. */
export interface Explanation {
  readonly decision: Decision;
  /** All of them; the decision names the first few. */
  readonly candidates: readonly Candidate[];
  /** Of the connected workers, in the order they joined. */
  readonly rejections: readonly Rejection[];
  /** Who is not there and would be waited for or not, by the same rules but the first. */
  readonly absent: readonly Rejection[];
}

/** Why a request goes where it goes, worker by worker. Looks at the whole fleet: for people, not for each request. */
export function explain(request: RouteRequest, snapshot: FleetSnapshot): Explanation {
  const eligible: WorkerSnapshot[] = [];
  const rejections: Rejection[] = [];
  for (const worker of snapshot.present.workers) {
    const failed = firstFailed(worker, request);
    if (failed === RULES.length) eligible.push(worker);
    else rejections.push(rejection(worker, request, failed));
  }
  eligible.sort((a, b) => compareWorkers(a, b, request));
  return {
    decision: decide(request, snapshot),
    candidates: toCandidates(eligible, request),
    rejections,
    absent: [...snapshot.absent.workers].map((worker) =>
      rejection(worker, request, firstFailed({ ...worker, connected: true }, request)),
    ),
  };
}

function rejection(worker: WorkerSnapshot, request: RouteRequest, failed: number): Rejection {
  const rule = RULES[failed === RULES.length ? 0 : failed]!;
  return { worker, rule: rule.name, detail: rule.detail(worker, request) };
}
