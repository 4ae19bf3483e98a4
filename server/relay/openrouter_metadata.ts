import type { Candidate, Decision } from "../routing/types.ts";

/**
 * What OpenRouter's clients are told of how their request was routed, when they ask with `X-OpenRouter-Metadata`:
 * https://openrouter.ai/docs/guides/routing/routers/router-metadata, names as in their package `@openrouter/sdk`.
 */
export interface OpenRouterMetadata {
  /** The model as the client named it; "" for none. */
  readonly requested: string;
  /** `fallback`: the request named more than one model. */
  readonly strategy: "direct" | "fallback";
  readonly region: null;
  readonly summary: string;
  /** Which try answered, from 1. */
  readonly attempt: number;
  /** Whether the client's own key with the provider was used. */
  readonly is_byok: false;
  readonly endpoints: {
    /** How many workers serve the model. */
    readonly total: number;
    /** Those that came first for this request, best first. */
    readonly available: readonly RoutedEndpoint[];
  };
  readonly attempts: readonly RoutedAttempt[];
  /** Milliseconds from dispatch to now, which is about the end of the answer. */
  readonly generation_time: number;
}

export interface RoutedEndpoint {
  readonly provider: string;
  readonly model: string;
  readonly selected: boolean;
}

export interface RoutedAttempt {
  readonly provider: string;
  readonly model: string;
  /** Of the answer; of a try without one, that of its failure. */
  readonly status: number;
}

export function routedAttempt({ worker, model = "" }: Candidate, status: number): RoutedAttempt {
  return { provider: worker.provider, model, status };
}

export interface RoutingFacts {
  /** The model as the client named it. */
  readonly requested: string | undefined;
  /** The request named `models` too. */
  readonly fallback: boolean;
  /** The first one about the request. */
  readonly decision: Pick<Decision & { type: "dispatch" }, "candidates" | "funnel">;
  /** Who answered: one of its candidates, or of a later decision after those had failed. */
  readonly served: Pick<Candidate, "worker" | "model">;
  /** The answering one last. */
  readonly attempts: readonly RoutedAttempt[];
  /** Milliseconds since the request was given to the worker that answers. */
  readonly generationMs: number;
}

export function openrouterMetadata(facts: RoutingFacts): OpenRouterMetadata {
  const { decision, served, attempts } = facts;
  const { candidates, funnel } = decision;
  const isServed = ({ worker, model }: RoutingFacts["served"]) =>
    worker.id === served.worker.id && model === served.model;
  const available = (candidates.some(isServed) ? candidates : [...candidates, served]).map((candidate) => ({
    provider: candidate.worker.provider,
    model: candidate.model ?? "",
    selected: isServed(candidate),
  }));
  const serving = funnel.find(({ rule }) => rule === "model")?.left ?? 0;
  return {
    requested: facts.requested ?? "",
    strategy: facts.fallback ? "fallback" : "direct",
    region: null,
    summary: `available=${available.length}, attempts=${attempts.length}, selected=${served.worker.provider}`,
    attempt: attempts.length,
    is_byok: false,
    endpoints: { total: Math.max(serving, available.length), available },
    attempts,
    generation_time: Math.round(facts.generationMs),
  };
}
