import { RULE_NAMES } from "../server/route_test/scenario_schema.ts";
import { PREFERENCE_NAMES } from "../server/routing/preferences.ts";
import { QUANTIZATIONS } from "../server/routing/quantizations.ts";

export type Row = readonly string[];

export function table(head: Row, rows: readonly Row[]): string {
  return [head, head.map(() => "---"), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |\n`)
    .join("");
}

/** A row for each of the names, in their order. @throws Error for a name without one, or a row without a name */
export function rowsFor(names: readonly string[], cells: Readonly<Record<string, Row>>): Row[] {
  const others = Object.keys(cells).filter((name) => !names.includes(name));
  const missing = names.filter((name) => !Object.hasOwn(cells, name));
  if (others.length + missing.length > 0)
    throw new Error(`Cannot print a table: without a row ${missing}, without a meaning ${others}`);
  return names.map((name) => [`\`${name}\``, ...cells[name]!]);
}

const NAMES = "names of providers";
const TRUTH = "true or false";
const FILTER = "filter";
const ORDER = "order";
const SOFT = "soft";

const PREFERENCES: Readonly<Record<string, Row>> = {
  only: [NAMES, FILTER, "Keep these"],
  ignore: [NAMES, FILTER, "Drop these; wins over `only` and `order`"],
  order: [
    NAMES,
    ORDER,
    "These first, in this order, each while it can serve; then everybody else, unless `allow_fallbacks` is false. Balances between a provider's own workers only",
  ],
  allow_fallbacks: [
    TRUTH,
    FILTER,
    "Default true. False with `order`: nobody but those in it, each in turn. False without: nobody but the best provider, which is waited for when it is busy",
  ],
  sort: [
    "`price`, `throughput`, `latency`, `load`, `exacto`, or `{by, partition}`",
    ORDER,
    "The cheapest (prompt and completion together), the fastest, the soonest, the least loaded first. `order` beats it. `exacto` is the default ranking. `partition`: `model` ranks the workers of each model by themselves, `none` those of all `models` together",
  ],
  require_parameters: [
    TRUTH,
    FILTER,
    "Workers that declare every parameter the body uses; what the request is about (`messages`, `input`, …), who asks and how the answer travels are no parameters",
  ],
  data_collection: ["`allow`, `deny`", FILTER, "`deny`: workers that declare `deny`"],
  zdr: [TRUTH, FILTER, "True: workers that declare zero data retention"],
  enforce_distillable_text: [TRUTH, FILTER, "True: models declared distillable"],
  quantizations: ["names", FILTER, "Workers that declare one of them, compared by the table below"],
  max_price: [
    "`{prompt, completion, request, image, audio}`, numbers or texts of numbers",
    FILTER,
    "USD per million tokens, or each; a worker that declares no price is free",
  ],
  preferred_min_throughput: [
    "number, or `{p50, p75, p90, p99}`",
    SOFT,
    "Tokens per second; a number is the median. Who misses one goes last, never out; who was not measured stands in between",
  ],
  preferred_max_latency: ["the same", SOFT, "Seconds to the first byte"],
};

export const preferenceTable = table(
  ["field", "takes", "kind", "meaning"],
  rowsFor(PREFERENCE_NAMES, PREFERENCES),
);

const RULES: Readonly<Record<string, Row>> = {
  connected: ["are there", "yes, for `--absent-grace`"],
  not_draining: ["are not about to leave", "yes"],
  healthy: ["have a backend that answers", "yes"],
  endpoint_prefix: ["serve the path", "no"],
  model: ["serve one of the models, by its name or by `*`", "no"],
  capability: ["have a link that can carry the request: ModelRelay's carries text only", "no"],
  only: ["are named", "no"],
  ignore: ["are not named", "no"],
  require_parameters: ["declare the body's parameters", "no"],
  data_collection: ['declare `data_collection = "deny"`', "no"],
  zdr: ["declare `zdr = true`", "no"],
  enforce_distillable_text: ["declare `distillable_text = true`", "no"],
  quantizations: ["declare one of them", "no"],
  max_price: ["declare no higher price", "no"],
  fallbacks: ["are in `order`, or the best provider's, where `allow_fallbacks` is false", "no"],
  not_tried: ["have not failed with this request", "no"],
};

export const ruleTable = table(
  ["rule", "keeps workers that", "worth waiting for"],
  rowsFor(RULE_NAMES, RULES),
);

export const quantizationTable = table(
  ["is", "written", "what it is"],
  QUANTIZATIONS.map(({ is, written, why }) => [
    `\`${is}\``,
    written.map((name) => `\`${name}\``).join(", "),
    why,
  ]),
);
