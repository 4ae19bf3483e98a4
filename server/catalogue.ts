import type { FleetSnapshot } from "./routing/types.ts";

/** A model as the OpenAI API lists it. */
export interface CatalogueModel {
  readonly id: string;
  readonly object: "model";
  /** ModelRelay's value, which its users' scripts may compare. */
  readonly owned_by: "worker-proxy";
  /** Unix time in seconds. OpenAI's clients want the field; the relay knows no model's age and gives its own start. */
  readonly created: number;
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
  const ids = new Set<string>();
  for (const { models } of present.workers) for (const model of models) ids.add(model);
  ids.delete("*");
  return { object: "list", data: [...ids].map((id) => toModel(id, createdS)) };
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
  return id !== undefined && id !== "*" && present.byModel.has(id) ? toModel(id, createdS) : undefined;
}

function toModel(id: string, createdS: number): CatalogueModel {
  return { id, object: "model", owned_by: "worker-proxy", created: createdS };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
