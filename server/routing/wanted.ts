import { MeasuredOnce } from "./measured_order.ts";
import type {
  FleetSnapshot,
  MeasuredView,
  Preferences,
  RouteRequest,
  SortKey,
  WorkerSnapshot,
} from "./types.ts";

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
  readonly measured: MeasuredView;
}

/** A worker, and which of the wanted models it would serve (the place in `Wanted.models`). */
export interface Choice {
  readonly worker: WorkerSnapshot;
  readonly at: number;
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
    measured: new MeasuredOnce(snapshot.measured),
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
  const { model, models, session } = request;
  const wanted: WantedModel[] = [];
  const add = (asked: string | undefined) => {
    const { name, sort: bySuffix } = withoutSuffix(asked, snapshot);
    if (wanted.some((other) => other.name === name)) return;
    // One ranking over all models goes by one thing: what the first says.
    const isFirst = wanted.length === 0 || preferences.partition !== "none";
    const sort = isFirst ? sortOf(preferences, bySuffix) : wanted[0]!.sort;
    const isSticky = session !== undefined && !preferences.order && sort === undefined;
    wanted.push({
      name,
      sort,
      sticky: isSticky ? snapshot.affinity.sticky(session, name ?? "") : undefined,
    });
  };
  add(model);
  models?.forEach(add);
  return wanted;
}

/** `exacto` is OpenRouter's own judgement of quality, for which there is no measure here: the default ranking. */
function sortOf({ order, sort }: Preferences, bySuffix: SortKey | undefined): SortKey | undefined {
  const key = order ? undefined : (sort ?? bySuffix);
  return key === "exacto" ? undefined : key;
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
