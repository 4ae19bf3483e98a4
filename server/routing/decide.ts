import { ABILITY, Judge, RULES } from "./eligible.ts";
import { hasFreeSlot } from "./load.ts";
import type { Choice } from "./orders.ts";
import { Ranking } from "./rank.ts";
import type {
  Decision,
  FleetSnapshot,
  Funnel,
  RefusalCode,
  RouteRequest,
  RuleName,
  WorkerIndex,
  WorkerSnapshot,
} from "./types.ts";
import { type Wanted, wantedOf } from "./wanted.ts";

/**
 * Where a request goes. Reads no clock, no dice and no socket, and changes nothing: `serve` acts on it,
 * `route-test` prints it. The same request and snapshot give the same decision.
 *
 * Costs what the workers cost that serve the model, not what the fleet costs.
 */
export function decide(request: RouteRequest, snapshot: FleetSnapshot): Decision {
  const wanted = settle(request, snapshot);
  const judge = new Judge(wanted);
  const ranking = new Ranking(wanted);
  const best: Choice[] = [];
  const fallen = new Array<number>(RULES.length + 1).fill(0);
  forEachNear(wanted, snapshot.present, (worker) => {
    fallen[judge.furthest(worker, (at) => ranking.keepBest(best, { worker, at }))]!++;
  });
  const funnel = countFunnel(wanted, snapshot.present, fallen);
  if (best.length === 0) return withoutCandidates(wanted, snapshot, funnel);
  const type = hasFreeSlot(best[0]!.worker) ? "dispatch" : "wait";
  return { type, candidates: ranking.toCandidates(best), funnel };
}

const FALLBACKS_AT = RULES.findIndex(({ name }) => name === "fallbacks");
const BEFORE_FALLBACKS = RULES.slice(0, FALLBACKS_AT);

/**
 * What is wanted, with the provider to which `allow_fallbacks: false` without an `order` holds the request: the best
 * one, busy or not. One that has been tried counts: to go past it is the fallback that is not allowed.
 */
export function settle(request: RouteRequest, snapshot: FleetSnapshot): Wanted {
  const wanted = wantedOf(request, snapshot);
  const { allowFallbacks, order } = wanted.preferences;
  if (allowFallbacks !== false || order || wanted.heldTo !== undefined) return wanted;
  const judge = new Judge(wanted, BEFORE_FALLBACKS);
  const ranking = new Ranking(wanted);
  let top: Choice | undefined;
  forEachNear(wanted, snapshot.present, (worker) => {
    judge.furthest(worker, (at) => {
      const choice = { worker, at };
      if (!top || ranking.compareIdle(choice, top) < 0) top = choice;
    });
  });
  return top ? { ...wanted, heldTo: top.worker.provider } : wanted;
}

/** Visit each worker that the rules up to `model` could let through, once; others may be visited too. */
function forEachNear(
  { request, models }: Wanted,
  index: WorkerIndex,
  visit: (worker: WorkerSnapshot) => void,
): void {
  if (models[0]!.name === undefined) {
    for (const group of index.matching(request.path).groups) group.workers.forEach(visit);
    return;
  }
  const names = [...models.map(({ name }) => name!), "*"];
  names.forEach((name, at) => {
    index.byModel.get(name)?.forEach((worker) => {
      for (let before = 0; before < at; before++) if (worker.models.has(names[before]!)) return;
      visit(worker);
    });
  });
}

/** Up to `endpoint_prefix` the index has counted; from `model` on all that are left were visited. */
function countFunnel({ request }: Wanted, index: WorkerIndex, fallen: readonly number[]): Funnel {
  const left = [
    index.workers.size,
    index.notDraining,
    index.available,
    index.matching(request.path).available,
  ];
  let passed = 0;
  for (let at = left.length; at <= RULES.length; at++) passed += fallen[at]!;
  for (let at = left.length; at < RULES.length; at++) {
    passed -= fallen[at]!;
    left[at] = passed;
  }
  return RULES.map((rule, at) => ({ rule: rule.name, left: left[at]! }));
}

/** Wait when somebody who could serve it is expected back, otherwise refuse. */
function withoutCandidates(wanted: Wanted, snapshot: FleetSnapshot, funnel: Funnel): Decision {
  if (furthest(wanted, snapshot.present) === PASSED || furthest(wanted, snapshot.absent) === PASSED) {
    return { type: "wait", candidates: [], funnel };
  }
  const failedRule = failedRuleOf(wanted, snapshot.present);
  return { type: "refuse", code: refusalCode(wanted, snapshot, failedRule), failedRule, funnel };
}

const PASSED = ABILITY.length;

/** How far the workers get under the rules of ability: the place of the rule that stopped the last of them. */
function furthest(wanted: Wanted, index: WorkerIndex): number {
  const judge = new Judge(wanted, ABILITY);
  let reached = -1;
  forEachNear(wanted, index, (worker) => {
    reached = Math.max(reached, judge.furthest(worker));
  });
  return reached;
}

/** The rule that leaves nobody even of those that are draining or unhealthy, for which one could have waited. */
function failedRuleOf(wanted: Wanted, present: WorkerIndex): RuleName {
  if (present.workers.size === 0) return "connected";
  const reached = furthest(wanted, present);
  if (reached > 0) return ABILITY[reached]!.name;
  return present.matching(wanted.request.path).groups.length > 0 ? "model" : "endpoint_prefix";
}

function refusalCode(
  { request, models }: Wanted,
  { present }: FleetSnapshot,
  failedRule: RuleName,
): RefusalCode {
  if (failedRule === "capability" && request.needs.has("upgrade")) return "upgrade_unsupported";
  if (failedRule === "capability" && request.needs.has("binary")) return "plain_link_text_only";
  const served = models.some(
    ({ name }) => name === undefined || present.byModel.has(name) || present.byModel.has("*"),
  );
  return served || failedRule === "endpoint_prefix" ? "no_eligible_worker" : "model_not_found";
}
