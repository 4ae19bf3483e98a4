import { RelayFailure } from "../../shared/failures.ts";
import { nearestModels } from "./nearest_models.ts";
import { STEP_NAMES } from "./step_names.ts";
import type { Decision, FleetSnapshot, RouteRequest, WorkerSnapshot } from "./types.ts";
import { wantedOf } from "./wanted.ts";

/** A model's name in a message: names are shorter, and a message is no place to send a page back. */
const SHOWN_MAX_CHARS = 128;
/** Of a request's own models; it may name many more. */
const SHOWN_MODELS_MAX = 8;
/** Providers that a message names, at most: a fleet may have thousands. */
const SHOWN_PROVIDERS_MAX = 64;

type Refusal = Extract<Decision, { type: "refuse" }>;

/** What a client is told when nobody may serve its request: what was wanted, and how far the workers got. */
export function refusal(decision: Refusal, request: RouteRequest, snapshot: FleetSnapshot): RelayFailure {
  const { code, failedRule, funnel } = decision;
  const { only, order } = request.preferences ?? {};
  const requested = only ?? order;
  const metadata = {
    failed_rule: failedRule,
    failed_routing_step: STEP_NAMES[failedRule],
    routing_funnel: funnel.map(({ rule, left }) => ({
      rule,
      left,
      step: STEP_NAMES[rule],
      endpoint_count: left,
    })),
    available_providers: availableProviders(request, snapshot),
    ...(requested && { requested_providers: requested }),
  };
  if (code !== "model_not_found") {
    return new RelayFailure(code, { detail: `no worker passed "${failedRule}"`, metadata });
  }
  const asked = [request.model!, ...(request.models ?? [])];
  const more = asked.length > SHOWN_MODELS_MAX ? ` or ${asked.length - SHOWN_MODELS_MAX} more` : "";
  const named = asked.slice(0, SHOWN_MODELS_MAX).map(quoted).join(" or ") + more;
  const nearest = nearestModels(request.model!, snapshot.present.byModel.keys());
  const hint = nearest.length > 0 ? `, the nearest are ${nearest.map(quoted).join(", ")}` : "";
  return new RelayFailure(code, { detail: `${named}${hint}`, param: "model", metadata });
}

/** Who serves one of the models, or without a model (or anybody who has it) whoever is there. */
function availableProviders(request: RouteRequest, snapshot: FleetSnapshot): string[] {
  const { byModel, workers } = snapshot.present;
  const names = wantedOf(request, snapshot).models.map(({ name }) => name);
  const providers = new Set<string>();
  for (const name of [...names, "*"]) addProviders(providers, byModel.get(name ?? "*") ?? []);
  if (providers.size === 0) addProviders(providers, workers);
  return [...providers];
}

function addProviders(providers: Set<string>, workers: Iterable<WorkerSnapshot>): void {
  for (const { provider } of workers) {
    if (providers.size === SHOWN_PROVIDERS_MAX) return;
    providers.add(provider);
  }
}

const quoted = (name: string) => JSON.stringify(name.slice(0, SHOWN_MAX_CHARS));
