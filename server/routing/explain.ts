import { decide, settle } from "./decide.ts";
import { judge, RULES } from "./eligible.ts";
import type { Choice } from "./orders.ts";
import { Ranking } from "./rank.ts";
import type { Candidate, Decision, FleetSnapshot, Rejection, RouteRequest, WorkerSnapshot } from "./types.ts";
import type { Wanted } from "./wanted.ts";

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
  const ranking = new Ranking(wanted);
  const choices: Choice[] = [];
  const rejections: Rejection[] = [];
  for (const worker of snapshot.present.workers) {
    const { passed, at } = judge(worker, wanted, {
      eligible: (model) => choices.push({ worker, at: model }),
    });
    if (passed < RULES.length) rejections.push(rejection(worker, wanted, { passed, at }));
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
      rejection(worker, wanted, judge({ ...worker, connected: true }, wanted)),
    ),
  };
}

function rejection(
  worker: WorkerSnapshot,
  wanted: Wanted,
  { passed, at }: { passed: number; at: number },
): Rejection {
  const rule = RULES[passed === RULES.length ? 0 : passed]!;
  return { worker, rule: rule.name, detail: rule.detail(worker, wanted, wanted.models[at]!.name) };
}
