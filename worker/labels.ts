import type { Labels } from "../shared/labels.ts";
import type { WorkerSettings } from "./settings.ts";

/** What the settings declare: single ones are stronger than the same key of the table, a model's own than both. */
export function declaredLabels(settings: WorkerSettings): Labels {
  const { labels = {}, quantization, zdr } = settings;
  const price = {
    ...labels.price,
    ...given({ prompt: settings.pricePrompt, completion: settings.priceCompletion }),
  };
  return {
    ...labels,
    ...given({
      quantization,
      data_collection: settings.dataCollection,
      zdr,
      distillable_text: settings.distillableText,
      supported_parameters: settings.supportedParameters,
      price: Object.keys(price).length > 0 ? price : undefined,
    }),
  };
}

/** What is undefined would otherwise hide what is declared. */
function given<Members extends object>(members: Members): Partial<Members> {
  return Object.fromEntries(
    Object.entries(members).filter(([, value]) => value !== undefined),
  ) as Partial<Members>;
}
