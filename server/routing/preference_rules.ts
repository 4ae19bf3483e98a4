import { labelOf, type Price } from "../../shared/labels.ts";
import type { Rule } from "./eligible.ts";
import { isNamed } from "./provider_name.ts";
import { normalQuantization } from "./quantizations.ts";
import type { WorkerSnapshot } from "./types.ts";
import type { Wanted } from "./wanted.ts";

/**
 * What a client's `provider` object rules out, a rule for each field that filters, in the order of the funnel. A
 * label that a worker does not declare fails the rule that asks for it; only a price is 0 then.
 */
export const PREFERENCE_RULES: readonly Rule[] = [
  {
    name: "only",
    counts: ({ preferences: { only } }) => only !== undefined,
    passes: ({ provider }, { preferences: { only } }) => isNamed(only!, provider),
    detail: ({ provider }, { preferences: { only } }) =>
      `wanted only ${listed(only)}, its provider is ${provider}`,
  },
  {
    name: "ignore",
    counts: ({ preferences: { ignore } }) => ignore !== undefined,
    passes: ({ provider }, { preferences: { ignore } }) => !isNamed(ignore!, provider),
    detail: ({ provider }) => `its provider ${provider} is to be ignored`,
  },
  {
    name: "require_parameters",
    counts: ({ preferences: { requireParameters } }) => requireParameters === true,
    passes: (worker, wanted, model) => unsupported(worker, wanted, model)?.length === 0,
    detail: (worker, wanted, model) => {
      const lacking = unsupported(worker, wanted, model);
      return lacking ? `it does not support ${listed(lacking)}` : "it declares no supported parameters";
    },
  },
  {
    name: "data_collection",
    counts: ({ preferences: { dataCollection } }) => dataCollection === "deny",
    passes: ({ labels }, _, model) => labelOf(labels, model, "data_collection") === "deny",
    detail: ({ labels }, _, model) =>
      wantedLabel("data_collection deny", labelOf(labels, model, "data_collection")),
  },
  {
    name: "zdr",
    counts: ({ preferences: { zdr } }) => zdr === true,
    passes: ({ labels }, _, model) => labelOf(labels, model, "zdr") === true,
    detail: ({ labels }, _, model) => wantedLabel("zdr true", labelOf(labels, model, "zdr")),
  },
  {
    name: "enforce_distillable_text",
    counts: ({ preferences: { distillableText } }) => distillableText === true,
    passes: ({ labels }, _, model) => labelOf(labels, model, "distillable_text") === true,
    detail: ({ labels }, _, model) =>
      wantedLabel("distillable_text true", labelOf(labels, model, "distillable_text")),
  },
  {
    name: "quantizations",
    counts: ({ preferences: { quantizations } }) => quantizations !== undefined,
    passes: (worker, { preferences: { quantizations } }, model) =>
      quantizations!.includes(quantizationOf(worker, model)),
    detail: (worker, { preferences: { quantizations } }, model) =>
      wantedLabel(listed(quantizations, " or "), quantizationOf(worker, model) || undefined),
  },
  {
    name: "max_price",
    counts: ({ preferences: { maxPrice } }) => maxPrice !== undefined,
    passes: (worker, wanted, model) => tooDear(worker, wanted, model) === undefined,
    detail: (worker, wanted, model) => {
      const key = tooDear(worker, wanted, model)!;
      const { maxPrice } = wanted.preferences;
      return `wanted at most $${maxPrice![key]} for ${key}, it takes $${priceOf(worker, model)[key]}`;
    },
  },
  {
    name: "fallbacks",
    counts: ({ preferences: { allowFallbacks, order }, heldTo }) =>
      allowFallbacks === false && (order ?? heldTo) !== undefined,
    passes: ({ provider }, { preferences: { order }, heldTo }) =>
      order ? isNamed(order, provider) : provider === heldTo,
    detail: ({ provider }, { preferences: { order }, heldTo }) =>
      order
        ? `fallbacks are not allowed beyond ${listed(order)}, its provider is ${provider}`
        : `fallbacks are not allowed and ${heldTo} is the best provider, its provider is ${provider}`,
  },
];

const NO_PRICE: Price = {};

export function priceOf({ labels }: WorkerSnapshot, model: string | undefined): Price {
  return labelOf(labels, model, "price") ?? NO_PRICE;
}

const PRICES = ["prompt", "completion", "request", "image", "audio"] as const;

/** The first price that is over the limit. */
function tooDear(worker: WorkerSnapshot, { preferences: { maxPrice } }: Wanted, model: string | undefined) {
  const price = priceOf(worker, model);
  return PRICES.find((key) => (price[key] ?? 0) > (maxPrice![key] ?? Number.POSITIVE_INFINITY));
}

/** Undefined: the worker declares none. */
function unsupported({ labels }: WorkerSnapshot, { request }: Wanted, model: string | undefined) {
  const supported = labelOf(labels, model, "supported_parameters");
  return supported && (request.parameters ?? []).filter((parameter) => !supported.includes(parameter));
}

/** "" when it declares none. */
function quantizationOf({ labels }: WorkerSnapshot, model: string | undefined): string {
  const declared = labelOf(labels, model, "quantization");
  return declared === undefined ? "" : normalQuantization(declared);
}

function wantedLabel(wanted: string, found: unknown): string {
  return found === undefined
    ? `wanted ${wanted}, it declares none`
    : `wanted ${wanted}, it declares ${found}`;
}

function listed(names: readonly string[] = [], separator = ", "): string {
  return names.join(separator);
}
