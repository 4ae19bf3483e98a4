import type { RouteRequest } from "./types.ts";

/**
 * Two requests with the same key get the same decision from the same snapshot. What a rule or an order looks at in
 * the request must be in here; a new one adds its field.
 */
export function routeKey(request: RouteRequest): string {
  const { path, model, models, preferences, parameters, session, keptIds, needs, excluded, heldTo } = request;
  return JSON.stringify([
    path,
    model,
    [...needs].sort(),
    excluded ? [...excluded].sort() : [],
    models,
    preferences,
    parameters,
    session,
    keptIds,
    heldTo,
  ]);
}
