import type { FleetSnapshot, Preferences, RouteRequest, SortKey } from "./types.ts";

/** One of the models that would do. */
export interface WantedModel {
  /** As workers know it; undefined: the request names none. */
  readonly name: string | undefined;
  /** What its candidates are sorted by; undefined: the default ranking. */
  readonly sort: SortKey | undefined;
  /** The worker (id) that had the session's last request for it. */
  readonly sticky: string | undefined;
}

/** A request as rules and ranking look at it: what follows from it and the snapshot alone is worked out once. */
export interface Wanted {
  readonly request: RouteRequest;
  readonly preferences: Preferences;
  /** At least one; the first is the one that was asked for. */
  readonly models: readonly WantedModel[];
  /** The worker (id) that keeps what the request refers to. */
  readonly keeper: string | undefined;
  /** The one provider that may serve it. */
  readonly heldTo: string | undefined;
  readonly measured: FleetSnapshot["measured"];
}

const NO_PREFERENCES: Preferences = {};

export function wantedOf(request: RouteRequest, snapshot: FleetSnapshot): Wanted {
  const { preferences = NO_PREFERENCES, heldTo } = request;
  return {
    request,
    preferences,
    models: wantedModels(request, preferences, snapshot),
    keeper: keeperOf(request, snapshot),
    heldTo,
    measured: snapshot.measured,
  };
}

/** OpenRouter's shorthands for `sort`, written behind a model's name. */
const SORT_OF_SUFFIX: Readonly<Record<string, SortKey>> = {
  nitro: "throughput",
  floor: "price",
  exacto: "exacto",
};

function wantedModels(
  request: RouteRequest,
  preferences: Preferences,
  snapshot: FleetSnapshot,
): WantedModel[] {
  const wanted = [wantedModel(request.model, { request, preferences, snapshot })];
  for (const name of request.models ?? []) {
    const model = wantedModel(name, { request, preferences, snapshot });
    if (!wanted.some((other) => other.name === model.name)) wanted.push(model);
  }
  return wanted;
}

interface Circumstances {
  readonly request: RouteRequest;
  readonly preferences: Preferences;
  readonly snapshot: FleetSnapshot;
}

function wantedModel(
  asked: string | undefined,
  { request: { session }, preferences, snapshot }: Circumstances,
): WantedModel {
  const { name, sort: bySuffix } = withoutSuffix(asked, snapshot);
  const sort = preferences.order ? undefined : ranking(preferences.sort ?? bySuffix);
  const isDefault = !preferences.order && sort === undefined;
  const sticky =
    session !== undefined && isDefault ? snapshot.affinity.sticky(session, name ?? "") : undefined;
  return { name, sort, sticky };
}

/** `exacto` is OpenRouter's own judgement of quality, for which there is no measure here: the default ranking. */
function ranking(sort: SortKey | undefined): SortKey | undefined {
  return sort === "exacto" ? undefined : sort;
}

/** A suffix is part of the name when a model of the full name is served, or was a moment ago. */
function withoutSuffix(
  asked: string | undefined,
  { present, absent }: FleetSnapshot,
): { name: string | undefined; sort: SortKey | undefined } {
  const colonAt = asked?.lastIndexOf(":") ?? -1;
  if (asked === undefined || colonAt < 1) return { name: asked, sort: undefined };
  const suffix = asked.slice(colonAt + 1);
  const sort = Object.hasOwn(SORT_OF_SUFFIX, suffix) ? SORT_OF_SUFFIX[suffix] : undefined;
  if (!sort || present.byModel.has(asked) || absent.byModel.has(asked))
    return { name: asked, sort: undefined };
  return { name: asked.slice(0, colonAt), sort };
}

function keeperOf({ keptIds }: RouteRequest, { affinity }: FleetSnapshot): string | undefined {
  for (const id of keptIds ?? []) {
    const keeper = affinity.keeper(id);
    if (keeper !== undefined) return keeper;
  }
  return undefined;
}
