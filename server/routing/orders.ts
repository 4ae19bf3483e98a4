import { hasFreeSlot, loadOf } from "./load.ts";
import { cutoffClass, median } from "./measured_order.ts";
import { priceOf } from "./preference_rules.ts";
import { namesProvider } from "./provider_name.ts";
import type { OrderName, SortKey, WorkerSnapshot } from "./types.ts";
import type { Choice, Wanted } from "./wanted.ts";

/** One thing by which choices are put in order. */
export interface Order {
  readonly name: OrderName;
  /** Whether it is looked at for this request. Without it: for every request. */
  counts?(wanted: Wanted): boolean;
  /** Negative: `a` goes before `b`. */
  compare(a: Choice, b: Choice, wanted: Wanted): number;
  /** The choice's own value, in words. */
  says(choice: Choice, wanted: Wanted): string;
}

/** Nobody waits while a slot is free that could serve them. */
export const FREE_SLOT: Order = {
  name: "free_slot",
  compare: (a, b) => Number(hasFreeSlot(b.worker)) - Number(hasFreeSlot(a.worker)),
  says: ({ worker }) =>
    hasFreeSlot(worker) ? `it has a free slot: ${loadText(worker)}` : `it is busy: ${loadText(worker)}`,
};

// a.load / a.capacity against b.load / b.capacity, multiplied out: equal loads must come out equal.
const compareLoad = ({ worker: a }: Choice, { worker: b }: Choice) =>
  loadOf(a) * b.maxConcurrent - loadOf(b) * a.maxConcurrent;

/** All orders, the strongest first. */
const ALL_ORDERS: readonly Order[] = [
  {
    // Others would answer 404: it is worth a wait.
    name: "keeper",
    counts: ({ keeper }) => keeper !== undefined,
    compare: (a, b, { keeper }) => Number(b.worker.id === keeper) - Number(a.worker.id === keeper),
    says: ({ worker }, { keeper }) =>
      worker.id === keeper
        ? "it keeps what the request refers to"
        : "another keeps what the request refers to",
  },
  FREE_SLOT,
  {
    // Last is last: before the order of models and providers, as in OpenRouter.
    name: "cutoffs",
    counts: ({ preferences: { minThroughput, maxLatency } }) => Boolean(minThroughput ?? maxLatency),
    compare: (a, b, wanted) => cutoffClass(a, wanted) - cutoffClass(b, wanted),
    says: (choice, wanted) => CUTOFF_TEXTS[cutoffClass(choice, wanted)]!,
  },
  {
    name: "models",
    counts: ({ models, preferences: { partition } }) => models.length > 1 && partition !== "none",
    compare: (a, b) => a.at - b.at,
    says: ({ at }, { models }) => `its model ${models[at]!.name} is ${ordinal(at)} of ${models.length}`,
  },
  {
    name: "order",
    counts: ({ preferences: { order } }) => order !== undefined,
    compare: (a, b, wanted) => placeInOrder(a, wanted) - placeInOrder(b, wanted),
    says: (choice, wanted) => {
      const place = placeInOrder(choice, wanted);
      const { provider } = choice.worker;
      return place === wanted.preferences.order!.length
        ? `its provider ${provider} is not in order`
        : `its provider ${provider} is ${ordinal(place)} in order`;
    },
  },
  sorted(
    "price",
    (choice, wanted) => price(choice, wanted),
    (value) => `its price is $${value} per million tokens`,
  ),
  sorted(
    "throughput",
    (choice, wanted) => -(median(choice, wanted, "throughput") ?? 0),
    (value) => (value === 0 ? "its throughput is not measured" : `its throughput is ${-value} tokens/s`),
  ),
  sorted(
    "latency",
    (choice, wanted) => median(choice, wanted, "latency") ?? Number.MAX_VALUE,
    (value) => (value === Number.MAX_VALUE ? "its latency is not measured" : `its latency is ${value} s`),
  ),
  {
    name: "sticky",
    counts: ({ models }) => models.some(({ sticky }) => sticky !== undefined),
    compare: (a, b, wanted) => Number(isSticky(b, wanted)) - Number(isSticky(a, wanted)),
    says: (choice, wanted) =>
      isSticky(choice, wanted)
        ? "it had the session's last request"
        : "another had the session's last request",
  },
  {
    name: "load",
    counts: ({ models }) => models.some(({ sort }) => sort === "load"),
    compare: (a, b, wanted) => (isSortedBy(a, "load", wanted) ? compareLoad(a, b) : 0),
    says: ({ worker }) => `its load is ${loadText(worker)}`,
  },
  {
    name: "exact_model",
    compare: (a, b, wanted) => Number(isExact(b, wanted)) - Number(isExact(a, wanted)),
    says: (choice, wanted) => (isExact(choice, wanted) ? "it names the model" : "it serves the model by *"),
  },
  {
    name: "load",
    compare: compareLoad,
    says: ({ worker }) => `its load is ${loadText(worker)}`,
  },
  {
    // Whoever has waited longest, rather than a cursor: it needs no memory per model, workers that come and go do
    // not shift it, and two models in alternation do not each see the same half of the turns.
    name: "rotation",
    compare: ({ worker: a }, { worker: b }) => a.lastTurn - b.lastTurn || a.joinedAt - b.joinedAt,
    says: ({ worker: { lastTurn } }) =>
      lastTurn === 0 ? "it has had no request yet" : `its last request was the fleet's ${lastTurn}th`,
  },
  {
    // The same worker with two models.
    name: "models",
    counts: ({ models }) => models.length > 1,
    compare: (a, b) => a.at - b.at,
    says: ({ at }, { models }) => `its model ${models[at]!.name} is ${ordinal(at)} of ${models.length}`,
  },
];

/** For a request without wishes about the order, as most are. */
const PLAIN_ORDERS = ALL_ORDERS.filter(({ counts }) => !counts);

/** What the candidates of a request are put in order by. */
export function ordersOf(wanted: Wanted): readonly Order[] {
  return isPlain(wanted) ? PLAIN_ORDERS : ALL_ORDERS.filter(({ counts }) => counts?.(wanted) ?? true);
}

/** None of the orders that count for some requests counts for this one. */
function isPlain({ request, models, keeper }: Wanted): boolean {
  const { sort, sticky } = models[0]!;
  const isAsked = request.preferences ?? keeper ?? sort ?? sticky;
  return models.length === 1 && isAsked === undefined;
}

const CUTOFF_TEXTS = [
  "it meets what is preferred of speed",
  "its speed is not measured",
  "it misses what is preferred of speed",
] as const;

/** Names the model; without a model everybody does. */
export function isExact({ worker, at }: Choice, { models }: Wanted): boolean {
  const { name } = models[at]!;
  return name === undefined || worker.models.has(name);
}

/** Lower goes first. */
function sorted(
  key: SortKey & OrderName,
  value: (choice: Choice, wanted: Wanted) => number,
  text: (value: number) => string,
): Order {
  return {
    name: key,
    counts: ({ models }) => models.some(({ sort }) => sort === key),
    compare: (a, b, wanted) =>
      isSortedBy(a, key, wanted) ? compareNumbers(value(a, wanted), value(b, wanted)) : 0,
    says: (choice, wanted) => text(value(choice, wanted)),
  };
}

/** Of two models each may have its own suffix; choices of different ones are then told apart by `models` before. */
function isSortedBy({ at }: Choice, key: SortKey, { models }: Wanted): boolean {
  return models[at]!.sort === key;
}

/** Not by their difference: that of two infinite prices is no number. */
function compareNumbers(a: number, b: number): number {
  return Number(a > b) - Number(a < b);
}

/** For a prompt and an answer of a million tokens each. */
function price({ worker, at }: Choice, { models }: Wanted): number {
  const { prompt = 0, completion = 0 } = priceOf(worker, models[at]!.name);
  return prompt + completion;
}

function placeInOrder({ worker }: Choice, { preferences: { order } }: Wanted): number {
  const place = order!.findIndex((name) => namesProvider(name, worker.provider));
  return place === -1 ? order!.length : place;
}

function isSticky({ worker, at }: Choice, { models }: Wanted): boolean {
  return models[at]!.sticky === worker.id;
}

function loadText(worker: WorkerSnapshot): string {
  return `${loadOf(worker)} of ${worker.maxConcurrent}`;
}

function ordinal(at: number): string {
  return ["first", "second", "third"][at] ?? `${at + 1}th`;
}
