import assert from "node:assert/strict";
import { test } from "node:test";
import { type Labels, labelOf, labelsFor } from "../../shared/labels.ts";

const LABELS: Labels = {
  zdr: true,
  quantization: "fp16",
  price: { prompt: 1, completion: 2 },
  models: { m: { zdr: false, price: { prompt: 0 } }, n: { quantization: undefined } },
};

test("labelOf() takes a model's own label before the one for all, false and 0 too", () => {
  const zdr = ["m", "n", "other", "constructor", "__proto__", undefined].map((model) =>
    labelOf(LABELS, model, "zdr"),
  );
  assert.deepEqual(zdr, [false, true, true, true, true, true]);
  assert.equal(labelOf({}, "m", "zdr"), undefined);
});

test("labelOf() takes a price as a whole", () => {
  assert.deepEqual(labelOf(LABELS, "m", "price"), { prompt: 0 });
  assert.deepEqual(labelOf(LABELS, "n", "price"), { prompt: 1, completion: 2 });
});

test("labelOf() gives none for a model's own label that was wrong", () => {
  assert.equal(labelOf(LABELS, "n", "quantization"), undefined);
});

test("labelsFor() gives all that a model has, and none that it has not", () => {
  assert.deepEqual(labelsFor(LABELS, "m"), { quantization: "fp16", zdr: false, price: { prompt: 0 } });
  assert.deepEqual(labelsFor(LABELS, "n"), { zdr: true, price: { prompt: 1, completion: 2 } });
  assert.deepEqual(labelsFor({ models: {} }, "m"), {});
});
