import { RelayFailure } from "../../shared/failures.ts";
import { nearestModels } from "./nearest_models.ts";
import type { Decision, FleetSnapshot, RouteRequest } from "./types.ts";

/** A model's name in a message: names are shorter, and a message is no place to send a page back. */
const SHOWN_MAX_CHARS = 128;

/** What a client is told when nobody may serve its request: what was wanted, and how far the workers got. */
export function refusal(
  { code, failedRule, funnel }: Extract<Decision, { type: "refuse" }>,
  request: RouteRequest,
  { present }: FleetSnapshot,
): RelayFailure {
  const metadata = {
    failed_rule: failedRule,
    routing_funnel: funnel,
    available_providers: [...new Set(present.workers.values().map(({ provider }) => provider))],
  };
  if (code !== "model_not_found") return new RelayFailure(code, { metadata });
  const model = request.model!;
  const nearest = nearestModels(model, present.byModel.keys());
  const hint = nearest.length > 0 ? `, the nearest are ${nearest.map(quoted).join(", ")}` : "";
  return new RelayFailure(code, { detail: `${quoted(model)}${hint}`, param: "model", metadata });
}

const quoted = (name: string) => JSON.stringify(name.slice(0, SHOWN_MAX_CHARS));
