/**
 * What `RouteRequest.excluded` holds: a worker that failed a request, or (`model` given) one whose backend answered
 * with an error for that model and may do better with another.
 */
export function triedKey(workerId: string, model?: string): string {
  return model === undefined ? workerId : `${workerId} ${model}`;
}
