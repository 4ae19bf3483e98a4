import type { Preferences } from "../routing/types.ts";

/** What each preference is called in a client's `provider`. */
const WIRE_NAMES: Readonly<Record<keyof Preferences, string>> = {
  only: "only",
  ignore: "ignore",
  order: "order",
  allowFallbacks: "allow_fallbacks",
  sort: "sort",
  partition: "partition",
  requireParameters: "require_parameters",
  dataCollection: "data_collection",
  zdr: "zdr",
  distillableText: "enforce_distillable_text",
  quantizations: "quantizations",
  maxPrice: "max_price",
  minThroughput: "preferred_min_throughput",
  maxLatency: "preferred_max_latency",
};

/** Preferences by the names that clients write. */
export function wirePreferences(preferences: Preferences): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(preferences).map(([key, value]) => [WIRE_NAMES[key as keyof Preferences], value]),
  );
}
