import { pathMatches } from "../../shared/endpoint_prefixes.ts";
import { PREFERENCE_RULES } from "./preference_rules.ts";
import { triedKey } from "./tried_key.ts";
import type { RuleName, WorkerSnapshot } from "./types.ts";
import type { Wanted } from "./wanted.ts";

/** One reason for which a worker may not get a request. */
export interface Rule {
  readonly name: RuleName;
  /** `model`: the one of the wanted models that the worker would serve. */
  passes(worker: WorkerSnapshot, wanted: Wanted, model: string | undefined): boolean;
  /** For a worker that does not pass: what was wanted, what was found. */
  detail(worker: WorkerSnapshot, wanted: Wanted, model: string | undefined): string;
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
    passes: (worker, { request }) => pathMatches(request.path, worker.endpointPrefixes),
    detail: (worker, { request }) =>
      `wanted ${request.path}, it serves ${worker.endpointPrefixes.join(", ")}`,
  },
  {
    name: "model",
    passes: (worker, _, model) => model === undefined || worker.models.has(model) || worker.models.has("*"),
    detail: (worker, { models }) =>
      `wanted ${models.map(({ name }) => JSON.stringify(name)).join(" or ")}, it serves ${servedBy(worker)}`,
  },
  {
    name: "capability",
    passes: (worker, wanted) => missing(worker, wanted) === undefined,
    detail: (worker, wanted) => `wanted "${missing(worker, wanted)}", its ${worker.linkForm} link has it not`,
  },
  ...PREFERENCE_RULES,
  {
    name: "not_tried",
    passes: ({ id }, { request: { excluded } }, model) =>
      !excluded || !(excluded.has(id) || (model !== undefined && excluded.has(triedKey(id, model)))),
    detail: () => "it had this request and failed",
  },
];

/** All rules, in the order in which a worker meets them. */
export const RULES: readonly Rule[] = [...AVAILABILITY, ...ABILITY];

/** How many rules a worker passes, with the model with which it passes most; `RULES.length`: it may serve it. */
export interface Judgement {
  readonly passed: number;
  /** The place of that model in `wanted.models`. */
  readonly at: number;
}

/** `eligible` is told of each model (its place) with which the worker may serve the request. */
export function judge(
  worker: WorkerSnapshot,
  wanted: Wanted,
  { rules = RULES, eligible }: { rules?: readonly Rule[]; eligible?: (at: number) => void } = {},
): Judgement {
  let furthest: Judgement = { passed: -1, at: 0 };
  for (let at = 0; at < wanted.models.length; at++) {
    const passed = countPassed(worker, wanted, { model: wanted.models[at]!.name, rules });
    if (passed > furthest.passed) furthest = { passed, at };
    if (passed === rules.length) eligible?.(at);
  }
  return furthest;
}

export function isEligible(worker: WorkerSnapshot, wanted: Wanted): boolean {
  return judge(worker, wanted).passed === RULES.length;
}

function countPassed(
  worker: WorkerSnapshot,
  wanted: Wanted,
  { model, rules }: { model: string | undefined; rules: readonly Rule[] },
): number {
  let passed = 0;
  while (passed < rules.length && rules[passed]!.passes(worker, wanted, model)) passed++;
  return passed;
}

/** Models of a worker that a message names, at most. */
const SHOWN_MODELS_MAX = 8;

function servedBy({ models }: WorkerSnapshot): string {
  const shown = [...models].slice(0, SHOWN_MODELS_MAX).join(", ");
  const more = models.size - SHOWN_MODELS_MAX;
  return `${shown || "none"}${more > 0 ? ` and ${more} more` : ""}`;
}

function missing(worker: WorkerSnapshot, { request }: Wanted) {
  for (const need of request.needs) if (!worker.capabilities.has(need)) return need;
  return undefined;
}
