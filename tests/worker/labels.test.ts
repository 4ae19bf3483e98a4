import assert from "node:assert/strict";
import { test } from "node:test";
import type { Labels } from "../../shared/labels.ts";
import { declaredLabels } from "../../worker/labels.ts";
import { type WorkerSettings, workerSettings } from "../../worker/settings.ts";

const CASES: { name: string; settings: Partial<WorkerSettings>; labels: Labels }[] = [
  { name: "nothing when nothing is declared", settings: {}, labels: {} },
  {
    name: "the table as it is",
    settings: { labels: { zdr: true, price: { image: 1 }, models: { m: { zdr: false } } } },
    labels: { zdr: true, price: { image: 1 }, models: { m: { zdr: false } } },
  },
  {
    name: "single settings, also those that say no and 0",
    settings: {
      quantization: "int8",
      dataCollection: "deny",
      zdr: false,
      distillableText: true,
      supportedParameters: ["tools"],
      pricePrompt: 0,
      priceCompletion: 0.6,
    },
    labels: {
      quantization: "int8",
      data_collection: "deny",
      zdr: false,
      distillable_text: true,
      supported_parameters: ["tools"],
      price: { prompt: 0, completion: 0.6 },
    },
  },
  {
    name: "single settings before the same key of the table, and not before a model's own",
    settings: {
      labels: {
        zdr: true,
        quantization: "fp16",
        price: { prompt: 1, image: 2 },
        models: { m: { zdr: true } },
      },
      zdr: false,
      pricePrompt: 3,
    },
    labels: {
      zdr: false,
      quantization: "fp16",
      price: { prompt: 3, image: 2 },
      models: { m: { zdr: true } },
    },
  },
];

for (const { name, settings, labels } of CASES) {
  test(`declaredLabels() gives ${name}`, () => {
    assert.deepEqual(declaredLabels({ ...workerSettings.parse({}), ...settings }), labels);
  });
}
