import type { RouteRequest } from "./types.ts";

/**
 * Two requests with the same key get the same decision from the same snapshot. What a rule looks at in the
 * request must be in here; a new rule adds its field.
 */
export function routeKey(request: RouteRequest): string {
  const { path, model, needs, excluded } = request;
  return JSON.stringify([path, model, [...needs].sort(), excluded ? [...excluded].sort() : []]);
}
