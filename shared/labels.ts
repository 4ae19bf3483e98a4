import { z } from "zod";

/**
 * What a worker declares about how it serves: what clients' preferences filter by. Declared in the worker's
 * settings, carried as `labels` in `register`, shown by `/admin/workers` and `/v1/models`.
 *
 * A label that is not declared fails the preference that asks for it (privacy by default); only a price is 0 then.
 */

const usd = z.number().min(0);

export const priceSchema = z.object({
  /** USD per million tokens. */
  prompt: usd.optional(),
  completion: usd.optional(),
  /** USD each. */
  request: usd.optional(),
  image: usd.optional(),
  audio: usd.optional(),
});

export const modelLabelsSchema = z.object({
  /** OpenRouter's names (`int4`, `fp8`, …) or llama.cpp's (`q4_k_m`): see `server/routing/quantizations.ts`. */
  quantization: z.string().min(1).optional(),
  /** `deny`: prompts are neither kept for training nor shown to others. */
  data_collection: z.enum(["allow", "deny"]).optional(),
  /** Zero data retention: prompts are not kept at all. */
  zdr: z.boolean().optional(),
  /** The model's licence allows training on its output. */
  distillable_text: z.boolean().optional(),
  /** Members of a request body that it obeys: `tools`, `response_format`, `temperature`, … */
  supported_parameters: z.array(z.string().min(1)).optional(),
  price: priceSchema.optional(),
});

export const labelsSchema = modelLabelsSchema.extend({
  /** For single models, stronger than those for all. */
  models: z.record(z.string(), modelLabelsSchema).optional(),
});

export type Price = z.output<typeof priceSchema>;
export type ModelLabels = z.output<typeof modelLabelsSchema>;
export type Labels = z.output<typeof labelsSchema>;

/** A label of a worker for one model (undefined: a request without a model). */
export function labelOf<Key extends keyof ModelLabels>(
  labels: Labels,
  model: string | undefined,
  key: Key,
): ModelLabels[Key] {
  const own =
    model !== undefined && labels.models && Object.hasOwn(labels.models, model)
      ? labels.models[model]
      : undefined;
  return own?.[key] ?? labels[key];
}
