import { decide, settle } from "./decide.ts";
import { Judge, RULES } from "./eligible.ts";
import { Ranking } from "./rank.ts";
import type { Candidate, Decision, FleetSnapshot, Rejection, RouteRequest, WorkerSnapshot } from "./types.ts";
import type { Choice, Wanted } from "./wanted.ts";

/** A candidate with why it is in its place. */
export interface ExplainedCandidate extends Candidate {
  /** What tells it from the one before it (the first: from the second), in words. */
  readonly reason: string;
}

/** A decision with all that `decide` leaves out for its cost. */
export interface Explanation {
  readonly decision: Decision;
  /** All of them; the decision names the first few. */
  readonly candidates: readonly ExplainedCandidate[];
  /** Of the connected workers, in the order they joined. */
  readonly rejections: readonly Rejection[];
  /** Who is not there and would be waited for or not, by the same rules but the first. */
  readonly absent: readonly Rejection[];
}

/** Why a request goes where it goes, worker by worker. Looks at the whole fleet: for people, not for each request. */
export function explain(request: RouteRequest, snapshot: FleetSnapshot): Explanation {
  const wanted = settle(request, snapshot);
  const judge = new Judge(wanted);
  const ranking = new Ranking(wanted);
  const choices: Choice[] = [];
  const rejections: Rejection[] = [];
  for (const worker of snapshot.present.workers) {
    const passed = judge.furthest(worker, (choice) => choices.push(choice));
    if (passed < RULES.length) rejections.push(rejection(worker, wanted, judge));
  }
  choices.sort((a, b) => ranking.compare(a, b));
  const reasons = ranking.reasons(choices);
  return {
    decision: decide(request, snapshot),
    candidates: ranking
      .toCandidates(choices)
      .map((candidate, at) => ({ ...candidate, reason: reasons[at]! })),
    rejections,
    absent: [...snapshot.absent.workers].map((worker) =>
      rejection({ ...worker, connected: true }, wanted, judge),
    ),
  };
}

/** By the model with which it passes most rules; who passes all of them is somebody who is not there. */
function rejection(worker: WorkerSnapshot, wanted: Wanted, judge: Judge): Rejection {
  const passed = wanted.models.map((_, at) => judge.passed(worker, at));
  const most = Math.max(...passed);
  const rule = RULES[most === RULES.length ? 0 : most]!;
  return {
    worker,
    rule: rule.name,
    detail: rule.detail(worker, wanted, wanted.models[passed.indexOf(most)]!.name),
  };
}
