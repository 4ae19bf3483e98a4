import { pathMatches } from "../../shared/endpoint_prefixes.ts";
import type { RouteRequest, RuleName, WorkerSnapshot } from "./types.ts";

/** One reason for which a worker may not get a request. */
export interface Rule {
  readonly name: RuleName;
  passes(worker: WorkerSnapshot, request: RouteRequest): boolean;
  /** For a worker that does not pass: what was wanted, what was found. */
  detail(worker: WorkerSnapshot, request: RouteRequest): string;
}

/** Whether the worker can be given anything at all. Trouble that passes: worth waiting for. */
const AVAILABILITY: readonly Rule[] = [
  {
    name: "connected",
    passes: (worker) => worker.connected,
    detail: () => "it was served a moment ago and is not now",
  },
  {
    name: "not_draining",
    passes: (worker) => !worker.draining,
    detail: () => "it is leaving and takes no new requests",
  },
  {
    name: "healthy",
    passes: (worker) => worker.healthy,
    detail: () => "its backend does not answer",
  },
];

/** Whether it could serve this request, were it available. */
export const ABILITY: readonly Rule[] = [
  {
    name: "endpoint_prefix",
    passes: (worker, request) => pathMatches(request.path, worker.endpointPrefixes),
    detail: (worker, request) => `wanted ${request.path}, it serves ${worker.endpointPrefixes.join(", ")}`,
  },
  {
    name: "model",
    passes: (worker, { model }) => model === undefined || worker.models.has(model) || worker.models.has("*"),
    detail: (worker, { model }) =>
      `wanted ${JSON.stringify(model)}, it serves ${[...worker.models].join(", ") || "none"}`,
  },
  {
    name: "capability",
    passes: (worker, request) => missing(worker, request) === undefined,
    detail: (worker, request) =>
      `wanted "${missing(worker, request)}", its ${worker.linkForm} link has it not`,
  },
  {
    name: "not_tried",
    passes: (worker, request) => !request.excluded?.has(worker.id),
    detail: () => "it had this request and failed",
  },
];

/** All rules, in the order in which a worker meets them. */
export const RULES: readonly Rule[] = [...AVAILABILITY, ...ABILITY];

/** The place in `RULES` of the first rule that the worker does not pass; `RULES.length` when it passes all. */
export function firstFailed(worker: WorkerSnapshot, request: RouteRequest): number {
  for (let at = 0; at < RULES.length; at++) if (!RULES[at]!.passes(worker, request)) return at;
  return RULES.length;
}

export function isEligible(worker: WorkerSnapshot, request: RouteRequest): boolean {
  return firstFailed(worker, request) === RULES.length;
}

function missing(worker: WorkerSnapshot, request: RouteRequest) {
  for (const need of request.needs) if (!worker.capabilities.has(need)) return need;
  return undefined;
}
