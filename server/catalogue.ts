import { isDeepStrictEqual } from "node:util";
import { labelsFor, type ModelLabels } from "../shared/labels.ts";
import type { FleetSnapshot, WorkerSnapshot } from "./routing/types.ts";

/** A model as the OpenAI API lists it, and who serves it. */
export interface CatalogueModel {
  readonly id: string;
  readonly object: "model";
  /** ModelRelay's value, which its users' scripts may compare. */
  readonly owned_by: "worker-proxy";
  /** Unix time in seconds. OpenAI's clients want the field; the relay knows no model's age and gives its own start. */
  readonly created: number;
  /** Those whose workers name it, in the order in which they joined. */
  readonly providers: readonly CatalogueProvider[];
}

export interface CatalogueProvider {
  /** What `only`, `ignore` and `order` take. */
  readonly name: string;
  /** What all its workers declare alike for this model; absent when that is nothing. */
  readonly labels?: ModelLabels;
}

export interface ModelList {
  readonly object: "list";
  readonly data: readonly CatalogueModel[];
}

/**
 * The models that connected workers serve, each once: in the order in which the workers joined, then in each
 * worker's own. A worker that is draining or unhealthy counts, as requests for its models are not refused but
 * wait. `*` is a promise, not a model.
 */
export function modelList({ present }: FleetSnapshot, createdS: number): ModelList {
  const serving = new Map<string, WorkerSnapshot[]>();
  for (const worker of present.workers) {
    for (const model of worker.models) {
      const others = serving.get(model);
      if (others) others.push(worker);
      else serving.set(model, [worker]);
    }
  }
  serving.delete("*");
  return { object: "list", data: [...serving].map(([id, workers]) => toModel(id, workers, createdS)) };
}

/**
 * One model, by what follows `/v1/models/` in the path: all of it, slashes too, escapes decoded. Undefined when
 * no connected worker serves it by name.
 */
export function modelById(
  { present }: FleetSnapshot,
  rest: string,
  createdS: number,
): CatalogueModel | undefined {
  const id = decoded(rest);
  if (id === undefined || id === "*") return undefined;
  const serving = present.byModel.get(id);
  const workers = serving && [...serving].sort((a, b) => a.joinedAt - b.joinedAt);
  return workers && toModel(id, workers, createdS);
}

function toModel(id: string, workers: readonly WorkerSnapshot[], createdS: number): CatalogueModel {
  const providers = new Map<string, ModelLabels>();
  for (const { provider, labels } of workers) {
    const own = labelsFor(labels, id);
    const others = providers.get(provider);
    providers.set(provider, others ? alike(others, own) : own);
  }
  return {
    id,
    object: "model",
    owned_by: "worker-proxy",
    created: createdS,
    providers: [...providers].map(([name, labels]) =>
      Object.keys(labels).length > 0 ? { name, labels } : { name },
    ),
  };
}

function alike(some: ModelLabels, others: ModelLabels): ModelLabels {
  const keys = Object.keys(some) as (keyof ModelLabels)[];
  return Object.fromEntries(
    keys.filter((key) => isDeepStrictEqual(some[key], others[key])).map((key) => [key, some[key]]),
  );
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
