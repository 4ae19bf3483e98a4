import { pathMatches } from "../../shared/endpoint_prefixes.ts";
import { PREFERENCE_RULES } from "./preference_rules.ts";
import { triedKey } from "./tried_key.ts";
import type { RuleName, WorkerSnapshot } from "./types.ts";
import type { Choice, Wanted } from "./wanted.ts";

/** One reason for which a worker may not get a request. */
export interface Rule {
  readonly name: RuleName;
  /** Whether the request asks for it: if not, it is passed unasked. Without this every request does. */
  counts?(wanted: Wanted): boolean;
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
const ABILITY: readonly Rule[] = [
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
    counts: ({ request: { excluded } }) => excluded !== undefined,
    passes: ({ id }, { request: { excluded } }, model) =>
      !(excluded!.has(triedKey(id)) || excluded!.has(triedKey(id, model))),
    detail: () => "it had this request and failed",
  },
];

/** All rules, in the order in which a worker meets them. */
export const RULES: readonly Rule[] = [...AVAILABILITY, ...ABILITY];

/** The place of the first rule of ability. */
export const ABILITY_AT = AVAILABILITY.length;

const ALL_PLACES: readonly number[] = [...RULES.keys()];
/** Of the rules for a request without preferences that nobody has had yet, as most are. */
const PLAIN_PLACES = ALL_PLACES.filter((place) => !RULES[place]!.counts);

function placesOf(wanted: Wanted): readonly number[] {
  const { preferences, excluded } = wanted.request;
  if (!preferences && !excluded) return PLAIN_PLACES;
  return ALL_PLACES.filter((place) => RULES[place]!.counts?.(wanted) ?? true);
}

const EVERY_RULE: { from?: number; to?: number } = {};

/** Asks the rules about workers, for one request. Whatever the rules asked, places are those in `RULES`. */
export class Judge {
  readonly #wanted: Wanted;
  readonly #places: readonly number[];

  /** `from`, `to`: asks the rules from a place on, and those before a place. Default all. */
  constructor(wanted: Wanted, { from = 0, to = RULES.length } = EVERY_RULE) {
    const places = placesOf(wanted);
    const isPart = from > 0 || to < RULES.length;
    this.#wanted = wanted;
    this.#places = isPart ? places.filter((place) => place >= from && place < to) : places;
  }

  /** The place of the rule that a worker with one of the wanted models falls to; `RULES.length` for none. */
  passed(worker: WorkerSnapshot, at: number): number {
    const wanted = this.#wanted;
    const model = wanted.models[at]!.name;
    for (const place of this.#places) if (!RULES[place]!.passes(worker, wanted, model)) return place;
    return RULES.length;
  }

  /** As `passed`, with the model with which it gets furthest. `eligible` is told of each that passes. */
  furthest(worker: WorkerSnapshot, eligible?: (choice: Choice) => void): number {
    let furthest = 0;
    for (let at = 0; at < this.#wanted.models.length; at++) {
      const passed = this.passed(worker, at);
      if (passed > furthest) furthest = passed;
      if (passed === RULES.length) eligible?.({ worker, at });
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
