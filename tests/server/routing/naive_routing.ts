import type {
  FleetSnapshot,
  Preferences,
  RouteRequest,
  WorkerSnapshot,
} from "../../../server/routing/types.ts";

/** A worker with one of the wanted models. */
interface Pair {
  readonly worker: WorkerSnapshot;
  readonly model: string | undefined;
  /** Place of the model among the wanted ones. */
  readonly at: number;
  readonly sort: string | undefined;
}

export interface NaiveDecision {
  readonly type: "dispatch" | "wait" | "refuse";
  /** All candidates, best first, as `worker-1 m`. */
  readonly order: readonly string[];
  /** How many workers are left after each rule. */
  readonly funnel: readonly (readonly [rule: string, left: number])[];
}

/**
 * What the manual of routing says, as plainly as can be: every worker with every model, one rule after the other, and
 * one list of numbers for each pair to sort by. It shares nothing with the code but the types.
 */
export function naiveDecision(request: RouteRequest, snapshot: FleetSnapshot): NaiveDecision {
  const wanted = wantedModels(request, snapshot);
  const pairsOf = (workers: Iterable<WorkerSnapshot>) =>
    [...workers].flatMap((worker) => wanted.map((one, at): Pair => ({ worker, at, ...one })));
  const present = pairsOf(snapshot.present.workers);
  const heldTo = provider(request, snapshot, present);
  const rules = [...AVAILABILITY, ...abilities(request, heldTo)];
  const funnel = rules.map(({ name }, at) => {
    const left = present.filter((pair) => rules.slice(0, at + 1).every(({ passes }) => passes(pair)));
    return [name, new Set(left.map(({ worker }) => worker)).size] as const;
  });
  const candidates = sorted(
    present.filter((pair) => rules.every(({ passes }) => passes(pair))),
    (pair) => keyOf(pair, request, snapshot),
  );
  const couldServe = (pair: Pair) => abilities(request, heldTo).every(({ passes }) => passes(pair));
  const isWorthAWait = [...present, ...pairsOf(snapshot.absent.workers)].some(couldServe);
  const first = candidates[0];
  return {
    type: first && isFree(first.worker) ? "dispatch" : first || isWorthAWait ? "wait" : "refuse",
    order: candidates.map(({ worker, model }) => `${worker.id} ${model}`),
    funnel,
  };
}

const SUFFIXES: readonly (readonly [suffix: string, sort: string])[] = [
  [":nitro", "throughput"],
  [":floor", "price"],
  [":exacto", "exacto"],
];

/** A suffix is cut off and becomes `sort`, unless a model of the full name is served. One ranking has one sort. */
function wantedModels({ model, models = [], preferences = {} }: RouteRequest, snapshot: FleetSnapshot) {
  const wanted: { model: string | undefined; sort: string | undefined }[] = [];
  for (const name of [model, ...models]) {
    const workers = [...snapshot.present.workers, ...snapshot.absent.workers];
    const suffix = SUFFIXES.find(([ending]) => name?.endsWith(ending) && name !== ending);
    const isServed = workers.some((worker) => worker.models.has(name!));
    const cut = suffix && !isServed ? name!.slice(0, -suffix[0].length) : name;
    const sort = preferences.sort ?? (cut === name ? undefined : suffix?.[1]);
    if (!wanted.some((other) => other.model === cut)) wanted.push({ model: cut, sort });
  }
  if (preferences.partition === "none") for (const one of wanted) one.sort = wanted[0]!.sort;
  return wanted;
}

interface NaiveRule {
  name: string;
  passes(pair: Pair): boolean;
}

const AVAILABILITY: readonly NaiveRule[] = [
  { name: "connected", passes: () => true },
  { name: "not_draining", passes: ({ worker }) => !worker.draining },
  { name: "healthy", passes: ({ worker }) => worker.healthy },
];

function abilities(request: RouteRequest, heldTo: string | undefined): NaiveRule[] {
  const { preferences = {}, excluded = new Set(), needs, path, parameters = [] } = request;
  const { only, ignore, order, maxPrice = {}, quantizations, allowFallbacks } = preferences;
  const label = <Key extends Exclude<keyof WorkerSnapshot["labels"], "models">>(pair: Pair, key: Key) => {
    const { models = {}, ...forAll } = pair.worker.labels;
    return { ...forAll, ...(pair.model !== undefined ? models[pair.model] : {}) }[key];
  };
  const beyondFallbacks = ({ worker }: Pair) =>
    order ? !order.some((name) => means(name, worker)) : heldTo !== undefined && worker.provider !== heldTo;
  return [
    { name: "endpoint_prefix", passes: ({ worker }) => servesPath(worker, path) },
    { name: "model", passes: ({ worker, model }) => model === undefined || serves(worker, model) },
    { name: "capability", passes: ({ worker }) => [...needs].every((need) => worker.capabilities.has(need)) },
    { name: "only", passes: ({ worker }) => !only || only.some((name) => means(name, worker)) },
    { name: "ignore", passes: ({ worker }) => !ignore?.some((name) => means(name, worker)) },
    {
      name: "require_parameters",
      passes: (pair) =>
        !preferences.requireParameters ||
        (label(pair, "supported_parameters") !== undefined &&
          parameters.every((parameter) => label(pair, "supported_parameters")!.includes(parameter))),
    },
    {
      name: "data_collection",
      passes: (pair) => preferences.dataCollection !== "deny" || label(pair, "data_collection") === "deny",
    },
    { name: "zdr", passes: (pair) => !preferences.zdr || label(pair, "zdr") === true },
    {
      name: "enforce_distillable_text",
      passes: (pair) => !preferences.distillableText || label(pair, "distillable_text") === true,
    },
    {
      name: "quantizations",
      passes: (pair) => !quantizations || quantizations.some((one) => one === label(pair, "quantization")),
    },
    {
      name: "max_price",
      passes: (pair) =>
        Object.entries(maxPrice).every(
          ([key, most = 0]) => (label(pair, "price")?.[key as keyof typeof maxPrice] ?? 0) <= most,
        ),
    },
    { name: "fallbacks", passes: (pair) => allowFallbacks !== false || !beyondFallbacks(pair) },
    {
      name: "not_tried",
      passes: ({ worker, model }) => !excluded.has(worker.id) && !excluded.has(`${worker.id} ${model}`),
    },
  ];
}

/** Without fallbacks and `order`: the provider of the best, whoever is busy and whoever had it already. */
function provider(
  request: RouteRequest,
  snapshot: FleetSnapshot,
  pairs: readonly Pair[],
): string | undefined {
  const { allowFallbacks, order } = request.preferences ?? {};
  if (request.heldTo !== undefined || allowFallbacks !== false || order) return request.heldTo;
  const { excluded: _, ...untried } = request;
  const rules = [...AVAILABILITY, ...abilities(untried, undefined)];
  const eligible = pairs.filter((pair) => rules.every(({ passes }) => passes(pair)));
  const [best] = sorted(eligible, (pair) => keyOf(pair, request, { ...snapshot, freeFirst: false }));
  return best?.worker.provider;
}

/** What decides, the strongest first; lower goes before higher. */
function keyOf(
  pair: Pair,
  request: RouteRequest,
  { measured, affinity, freeFirst = true }: FleetSnapshot & { freeFirst?: boolean },
): number[] {
  const { worker, model, at } = pair;
  const { preferences = {}, session, keptIds = [] } = request;
  const { order, partition } = preferences;
  const sort = order || pair.sort === "exacto" ? undefined : pair.sort;
  const keeper = keptIds.map((id) => affinity.keeper(id)).find((id) => id !== undefined);
  const stickyTo = session === undefined || order || sort ? undefined : affinity.sticky(session, model ?? "");
  const found = measured.of(worker.provider, model ?? "");
  const { prompt = 0, completion = 0 } = {
    ...worker.labels,
    ...(model === undefined ? {} : worker.labels.models?.[model]),
  }.price ?? { prompt: 0 };
  const values: Record<string, number> = {
    price: prompt + completion,
    throughput: found?.throughput ? 1 / found.throughput.p50 : 2,
    latency: found?.latency?.p50 ?? 1e9,
    load: loadOf(worker),
  };
  const place = order?.findIndex((name) => means(name, worker)) ?? 0;
  return [
    worker.id === keeper ? 0 : 1,
    freeFirst && !isFree(worker) ? 1 : 0,
    speedClass(preferences, found),
    partition === "none" ? 0 : at,
    place === -1 ? 99 : place,
    sort === undefined ? 0 : values[sort]!,
    stickyTo === worker.id ? 0 : 1,
    model === undefined || worker.models.has(model) ? 0 : 1,
    loadOf(worker),
    worker.lastTurn,
    worker.joinedAt,
    at,
  ];
}

/** Passes all, no data, misses one. */
function speedClass(
  { minThroughput = {}, maxLatency = {} }: Preferences,
  found: ReturnType<FleetSnapshot["measured"]["of"]>,
): number {
  const names = ["p50", "p75", "p90", "p99"] as const;
  const missed = names.some(
    (name) =>
      (found?.throughput && found.throughput[name] < (minThroughput[name] ?? 0)) ||
      (found?.latency && found.latency[name] > (maxLatency[name] ?? 1e9)),
  );
  if (missed) return 2;
  const isAsked = (cutoffs: object) => Object.keys(cutoffs).length > 0;
  const lacks = (isAsked(minThroughput) && !found?.throughput) || (isAsked(maxLatency) && !found?.latency);
  return lacks ? 1 : 0;
}

function sorted(pairs: readonly Pair[], key: (pair: Pair) => number[]): Pair[] {
  const keyed = pairs.map((pair) => ({ pair, key: key(pair) }));
  keyed.sort((a, b) => {
    const at = a.key.findIndex((value, place) => value !== b.key[place]);
    return at === -1 ? 0 : a.key[at]! < b.key[at]! ? -1 : 1;
  });
  return keyed.map(({ pair }) => pair);
}

const busyness = ({ inFlight, reportedLoad }: WorkerSnapshot) =>
  inFlight > reportedLoad ? inFlight : reportedLoad;
const loadOf = (worker: WorkerSnapshot) => busyness(worker) / worker.maxConcurrent;
const isFree = (worker: WorkerSnapshot) => busyness(worker) < worker.maxConcurrent;
const serves = ({ models }: WorkerSnapshot, model: string) => models.has(model) || models.has("*");

function servesPath({ endpointPrefixes }: WorkerSnapshot, path: string): boolean {
  const within = (prefix: string) =>
    prefix.endsWith("*")
      ? path.startsWith(prefix.slice(0, -1))
      : `${path}/`.startsWith(prefix === "/" ? "/" : `${prefix}/`);
  return endpointPrefixes.length === 0 || endpointPrefixes.some(within);
}

/** `home` means `home` and each `home/…`; `home/4090` itself alone. */
function means(name: string, { provider }: WorkerSnapshot): boolean {
  return provider === name || (!name.includes("/") && provider.split("/")[0] === name);
}
