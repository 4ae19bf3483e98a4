import type { RuleName } from "./types.ts";

/**
 * What OpenRouter calls the steps of its funnel, which its clients look for in `metadata` by name (as seen in its
 * answers of August to October 2026). It has no word for some of the rules here: those are named alike.
 */
export const STEP_NAMES: Readonly<Record<RuleName, string>> = {
  connected: "Initial Endpoints",
  not_draining: "Filter by Draining",
  healthy: "Filter by Health",
  endpoint_prefix: "Filter by Endpoint Prefix",
  model: "Filter by Model",
  capability: "Filter by Link Capability",
  only: "Filter by Allowed Providers",
  ignore: "Filter by Ignored Providers",
  require_parameters: "Filter by Parameters",
  data_collection: "Filter by Data Policy",
  zdr: "Filter by Data Policy",
  enforce_distillable_text: "Filter by Distillable Text",
  quantizations: "Filter by Quantization",
  max_price: "Filter by Max Price",
  fallbacks: "Filter by Fallback",
  not_tried: "Filter by Attempts",
};
