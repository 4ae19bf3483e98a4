import { pathMatches } from "../../shared/endpoint_prefixes.ts";
import { PREFERENCE_RULES } from "./preference_rules.ts";
import { triedKey } from "./tried_key.ts";
import type { RuleName, WorkerSnapshot } from "./types.ts";
import type { Wanted } from "./wanted.ts";

/** One reason for which a worker may not get a request. */
export interface Rule {
  readonly name: RuleName;
  /** It asks for what only `preferences` can want. */
  readonly ofPreferences?: true;
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
  ...PREFERENCE_RULES.map((rule) => ({ ...rule, ofPreferences: true as const })),
  {
    name: "not_tried",
    passes: ({ id }, { request: { excluded } }, model) =>
      !excluded || !(excluded.has(id) || (model !== undefined && excluded.has(triedKey(id, model)))),
    detail: () => "it had this request and failed",
  },
];

/** All rules, in the order in which a worker meets them. */
export const RULES: readonly Rule[] = [...AVAILABILITY, ...ABILITY];

/** Asks some of the rules about workers, for one request. Most requests have no preferences: theirs are not asked. */
export class Judge {
  readonly #wanted: Wanted;
  readonly #rules: readonly Rule[];
  readonly #asksPreferences: boolean;

  constructor(wanted: Wanted, rules: readonly Rule[] = RULES) {
    this.#wanted = wanted;
    this.#rules = rules;
    this.#asksPreferences = wanted.request.preferences !== undefined;
  }

  /** How many rules, from the first on, the worker passes with one of the wanted models (its place). */
  passed(worker: WorkerSnapshot, at: number): number {
    const model = this.#wanted.models[at]!.name;
    for (let place = 0; place < this.#rules.length; place++) {
      const rule = this.#rules[place]!;
      if (rule.ofPreferences && !this.#asksPreferences) continue;
      if (!rule.passes(worker, this.#wanted, model)) return place;
    }
    return this.#rules.length;
  }

  /** As `passed`, with the model with which it is most. `eligible` is told of each with which it is all. */
  furthest(worker: WorkerSnapshot, eligible?: (at: number) => void): number {
    let furthest = 0;
    for (let at = 0; at < this.#wanted.models.length; at++) {
      const passed = this.passed(worker, at);
      if (passed > furthest) furthest = passed;
      if (passed === this.#rules.length) eligible?.(at);
    }
    return furthest;
  }
}

export function isEligible(worker: WorkerSnapshot, wanted: Wanted): boolean {
  return new Judge(wanted).furthest(worker) === RULES.length;
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
