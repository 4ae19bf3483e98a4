import { z } from "zod";

/**
 * What a worker declares about how it serves: what clients' preferences filter by. Declared in the worker's
 * settings, carried as `labels` in `register`, shown by `/admin/workers` and `/v1/models`.
 *
 * A label that is not declared fails the preference that asks for it (privacy by default); only a price is 0 then.
 */

/** As JSON: room for a price and a few words for each of the 1024 models that a worker may name. */
export const LABELS_MAX_UNITS = 128 * 1024;

// The messages say what is wanted: `read_labels.ts` puts what was found behind them.
const usd = z.number("a number from 0").min(0, "a number from 0");
const text = (wanted: string) => z.string(wanted).min(1, wanted);
const yesOrNo = z.boolean("true or false");

export const priceSchema = z.strictObject(
  {
    /** USD per million tokens. */
    prompt: usd.optional(),
    completion: usd.optional(),
    /** USD each. */
    request: usd.optional(),
    image: usd.optional(),
    audio: usd.optional(),
  },
  "a table",
);

export const modelLabelsSchema = z.strictObject(
  {
    /** OpenRouter's names (`int4`, `fp8`, …) or llama.cpp's (`q4_k_m`): see `server/routing/quantizations.ts`. */
    quantization: text("a text").optional(),
    /** `deny`: prompts are neither kept for training nor shown to others. */
    data_collection: z.enum(["allow", "deny"], "allow or deny").optional(),
    /** Zero data retention: prompts are not kept at all. */
    zdr: yesOrNo.optional(),
    /** The model's licence allows training on its output. */
    distillable_text: yesOrNo.optional(),
    /** Members of a request body that it obeys: `tools`, `response_format`, `temperature`, … */
    supported_parameters: z.array(text("a list of texts"), "a list of texts").optional(),
    price: priceSchema.optional(),
  },
  "a table",
);

export const labelsSchema = modelLabelsSchema.extend({
  /** For single models, each stronger than the one for all; a price as a whole. */
  models: z.record(z.string(), modelLabelsSchema, "a table of models").optional(),
});

export type Price = z.output<typeof priceSchema>;
export type ModelLabels = z.output<typeof modelLabelsSchema>;
export type Labels = z.output<typeof labelsSchema>;

/**
 * A label of a worker for one model (undefined: a request without a model). A model's own label that is there and
 * undefined was a wrong one: it hides the one for all, which it was to replace.
 */
export function labelOf<Key extends keyof ModelLabels>(
  labels: Labels,
  model: string | undefined,
  key: Key,
): ModelLabels[Key] {
  const own =
    model !== undefined && labels.models && Object.hasOwn(labels.models, model)
      ? labels.models[model]
      : undefined;
  return own && Object.hasOwn(own, key) ? own[key] : labels[key];
}

/** All labels of a worker for one model. */
export function labelsFor(labels: Labels, model: string): ModelLabels {
  const keys = Object.keys(modelLabelsSchema.shape) as (keyof ModelLabels)[];
  const found = keys.map((key) => [key, labelOf(labels, model, key)] as const);
  return Object.fromEntries(found.filter(([, value]) => value !== undefined));
}
