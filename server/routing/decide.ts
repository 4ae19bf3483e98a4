import { pathMatches } from "../../shared/endpoint_prefixes.ts";
import { ABILITY, firstFailed, RULES } from "./eligible.ts";
import { hasFreeSlot } from "./load.ts";
import { keepBest, toCandidates } from "./rank.ts";
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

/**
 * Where a request goes. Reads no clock, no dice and no socket, and changes nothing: `serve` acts on it,
 * `route-test` prints it. The same request and snapshot give the same decision.
 *
 * Costs what the workers cost that serve the model, not what the fleet costs.
 */
export function decide(request: RouteRequest, snapshot: FleetSnapshot): Decision {
  const best: WorkerSnapshot[] = [];
  const fallen = new Array<number>(RULES.length + 1).fill(0);
  forEachNear(request, snapshot.present, (worker) => {
    const failed = firstFailed(worker, request);
    fallen[failed]!++;
    if (failed === RULES.length) keepBest(best, worker, request);
  });
  const funnel = countFunnel(request, snapshot.present, fallen);
  if (best.length === 0) return withoutCandidates(request, snapshot, funnel);
  const type = hasFreeSlot(best[0]!) ? "dispatch" : "wait";
  return { type, candidates: toCandidates(best, request), funnel };
}

/** Visit each worker that the rules up to `model` could let through; others may be visited too. */
function forEachNear(
  request: RouteRequest,
  index: WorkerIndex,
  visit: (worker: WorkerSnapshot) => void,
): void {
  const { model } = request;
  if (model === undefined) {
    for (const group of index.byPrefixes.values()) {
      if (pathMatches(request.path, group.endpointPrefixes)) group.workers.forEach(visit);
    }
    return;
  }
  index.byModel.get(model)?.forEach(visit);
  index.byModel.get("*")?.forEach((worker) => {
    if (!worker.models.has(model)) visit(worker);
  });
}

/** Up to `endpoint_prefix` the index has counted; from `model` on all that are left were visited. */
function countFunnel(request: RouteRequest, index: WorkerIndex, fallen: readonly number[]): Funnel {
  let matching = 0;
  for (const group of index.byPrefixes.values()) {
    if (pathMatches(request.path, group.endpointPrefixes)) matching += group.available;
  }
  const left = [index.workers.size, index.notDraining, index.available, matching];
  let passed = 0;
  for (let at = left.length; at <= RULES.length; at++) passed += fallen[at]!;
  for (let at = left.length; at < RULES.length; at++) {
    passed -= fallen[at]!;
    left[at] = passed;
  }
  return RULES.map((rule, at) => ({ rule: rule.name, left: left[at]! }));
}

/** Wait when somebody who could serve it is expected back, otherwise refuse. */
function withoutCandidates(request: RouteRequest, snapshot: FleetSnapshot, funnel: Funnel): Decision {
  if (furthest(request, snapshot.present) === PASSED || furthest(request, snapshot.absent) === PASSED) {
    return { type: "wait", candidates: [], funnel };
  }
  const failedRule = failedRuleOf(request, snapshot.present);
  return { type: "refuse", code: refusalCode(request, snapshot, failedRule), failedRule, funnel };
}

const PASSED = ABILITY.length;

/** How far the workers get under the rules of ability: the place of the rule that stopped the last of them. */
function furthest(request: RouteRequest, index: WorkerIndex): number {
  let reached = -1;
  forEachNear(request, index, (worker) => {
    const failed = ABILITY.findIndex((rule) => !rule.passes(worker, request));
    reached = Math.max(reached, failed === -1 ? PASSED : failed);
  });
  return reached;
}

/** The rule that leaves nobody even of those that are draining or unhealthy, for which one could have waited. */
function failedRuleOf(request: RouteRequest, present: WorkerIndex): RuleName {
  if (present.workers.size === 0) return "connected";
  const reached = furthest(request, present);
  if (reached > 0) return ABILITY[reached]!.name;
  for (const { endpointPrefixes } of present.byPrefixes.values()) {
    if (pathMatches(request.path, endpointPrefixes)) return "model";
  }
  return "endpoint_prefix";
}

function refusalCode(request: RouteRequest, { present }: FleetSnapshot, failedRule: RuleName): RefusalCode {
  if (failedRule === "capability" && request.needs.has("upgrade")) return "upgrade_unsupported";
  if (failedRule === "capability" && request.needs.has("binary")) return "plain_link_text_only";
  const { model } = request;
  const served = model === undefined || present.byModel.has(model) || present.byModel.has("*");
  return served || failedRule === "endpoint_prefix" ? "no_eligible_worker" : "model_not_found";
}
