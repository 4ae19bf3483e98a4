import { RelayFailure } from "../../shared/failures.ts";
import { nearestModels } from "./nearest_models.ts";
import { STEP_NAMES } from "./step_names.ts";
import type { Decision, FleetSnapshot, RouteRequest } from "./types.ts";

/** A model's name in a message: names are shorter, and a message is no place to send a page back. */
const SHOWN_MAX_CHARS = 128;
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
  const named = [request.model!, ...(request.models ?? [])].map(quoted).join(" or ");
  const nearest = nearestModels(request.model!, snapshot.present.byModel.keys());
  const hint = nearest.length > 0 ? `, the nearest are ${nearest.map(quoted).join(", ")}` : "";
  return new RelayFailure(code, { detail: `${named}${hint}`, param: "model", metadata });
}

/** Who serves the model, or without a model (or anybody who has it) whoever is there. */
function availableProviders({ model, models = [] }: RouteRequest, { present }: FleetSnapshot): string[] {
  const providers = new Set<string>();
  for (const name of [model ?? "*", ...models, "*"]) {
    for (const { provider } of present.byModel.get(name) ?? []) providers.add(provider);
  }
  if (providers.size === 0) for (const { provider } of present.workers) providers.add(provider);
  return [...providers].slice(0, SHOWN_PROVIDERS_MAX);
}

const quoted = (name: string) => JSON.stringify(name.slice(0, SHOWN_MAX_CHARS));
