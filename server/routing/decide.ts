import { ABILITY_AT, Judge, RULES } from "./eligible.ts";
import { hasFreeSlot } from "./load.ts";
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
import { type Choice, type Wanted, wantedOf } from "./wanted.ts";

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
  const keep = (choice: Choice) => ranking.keepBest(best, choice);
  const fallen = new Array<number>(RULES.length + 1).fill(0);
  forEachNear(wanted, snapshot.present, (worker) => {
    fallen[judge.furthest(worker, keep)]!++;
  });
  const funnel = countFunnel(wanted, snapshot.present, fallen);
  if (best.length === 0) return withoutCandidates(wanted, snapshot, funnel);
  const type = hasFreeSlot(best[0]!.worker) ? "dispatch" : "wait";
  return { type, candidates: ranking.toCandidates(best), funnel };
}

const BEFORE_FALLBACKS = { to: RULES.findIndex(({ name }) => name === "fallbacks") };

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
  const keepTop = (choice: Choice) => {
    if (!top || ranking.compareIdle(choice, top) < 0) top = choice;
  };
  forEachNear(wanted, snapshot.present, (worker) => judge.furthest(worker, keepTop));
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
  for (let at = 0; at <= models.length; at++) {
    const workers = index.byModel.get(models[at]?.name ?? "*");
    if (!workers) continue;
    for (const worker of workers) if (!namesOneBefore(worker, models, at)) visit(worker);
  }
}

/** It was visited for another model. */
function namesOneBefore({ models: served }: WorkerSnapshot, models: Wanted["models"], at: number): boolean {
  for (let before = 0; before < at; before++) if (served.has(models[before]!.name!)) return true;
  return false;
}

/** Up to `endpoint_prefix` the index has counted; from `model` on all that are left were visited. */
function countFunnel({ request }: Wanted, index: WorkerIndex, fallen: readonly number[]): Funnel {
  const { available } = index.matching(request.path);
  const counted = [index.workers.size, index.notDraining, index.available, available];
  let left = 0;
  for (let at = counted.length; at <= RULES.length; at++) left += fallen[at]!;
  return RULES.map(({ name }, at) => {
    if (at >= counted.length) left -= fallen[at]!;
    return { rule: name, left: counted[at] ?? left };
  });
}

/** Wait when somebody who could serve it is expected back, otherwise refuse. */
function withoutCandidates(wanted: Wanted, snapshot: FleetSnapshot, funnel: Funnel): Decision {
  const { present, absent } = snapshot;
  const reached = Math.max(reachedBy(wanted, present), reachedBy(wanted, absent));
  if (reached === RULES.length) return { type: "wait", candidates: [], funnel };
  const failedRule = reached > ABILITY_AT ? RULES[reached]!.name : ruleOfNobody(wanted, present);
  return { type: "refuse", code: refusalCode(wanted, snapshot, failedRule), failedRule, funnel };
}

/**
 * How far the workers get, were they all there and well: the rule that stops the last of those who serve one of the
 * models.
 */
function reachedBy(wanted: Wanted, index: WorkerIndex): number {
  const judge = new Judge(wanted, { from: ABILITY_AT });
  let reached = 0;
  forEachNear(wanted, index, (worker) => {
    reached = Math.max(reached, judge.furthest(worker));
  });
  return reached;
}

/** The rule to blame when nobody serves both the path and a model. */
function ruleOfNobody({ request }: Wanted, present: WorkerIndex): RuleName {
  if (present.workers.size === 0) return "connected";
  return present.matching(request.path).groups.length > 0 ? "model" : "endpoint_prefix";
}

function refusalCode(
  { request, models }: Wanted,
  { present, absent }: FleetSnapshot,
  failedRule: RuleName,
): RefusalCode {
  if (failedRule === "capability" && request.needs.has("upgrade")) return "upgrade_unsupported";
  if (failedRule === "capability" && request.needs.has("binary")) return "plain_link_text_only";
  const isServed = ({ byModel }: WorkerIndex, name: string) => byModel.has(name) || byModel.has("*");
  const isKnown = models.some(
    ({ name }) => name === undefined || isServed(present, name) || isServed(absent, name),
  );
  return isKnown || failedRule === "endpoint_prefix" ? "no_eligible_worker" : "model_not_found";
}
