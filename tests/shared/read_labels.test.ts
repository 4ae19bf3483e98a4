import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Labels, labelOf, labelsSchema } from "../../shared/labels.ts";
import { readLabels } from "../../shared/read_labels.ts";

const WHOLE: Labels = {
  quantization: "q4_k_m",
  data_collection: "deny",
  zdr: true,
  distillable_text: false,
  supported_parameters: ["tools"],
  price: { prompt: 0.1, completion: 0, request: 1, image: 2, audio: 3 },
  models: { m: { zdr: false, price: { prompt: 5 } }, "a/b:c": {} },
};

const CASES: { raw: unknown; labels: Labels; wrong?: string[] }[] = [
  { raw: {}, labels: {} },
  { raw: WHOLE, labels: WHOLE },
  { raw: [], labels: {}, wrong: ["labels must be a table: found []"] },
  { raw: null, labels: {}, wrong: ["labels must be a table: found null"] },
  {
    raw: { ...WHOLE, zdr: "true" },
    labels: { ...WHOLE, zdr: undefined },
    wrong: ['zdr must be true or false: found "true"'],
  },
  { raw: { zdr: null }, labels: {}, wrong: ["zdr must be true or false: found null"] },
  {
    raw: { data_collection: "denied", quantization: "" },
    labels: {},
    wrong: ['data_collection must be allow or deny: found "denied"', 'quantization must be a text: found ""'],
  },
  {
    raw: { supported_parameters: ["tools", 3, ""] },
    labels: {},
    wrong: ['supported_parameters must be a list of texts: found ["tools",3,""]'],
  },
  {
    raw: { price: { prompt: -1, completion: 2, request: Number.POSITIVE_INFINITY, audio: "1" } },
    labels: { price: { completion: 2 } },
    wrong: [
      "price.prompt must be a number from 0: found -1",
      "price.request must be a number from 0: found Infinity",
      'price.audio must be a number from 0: found "1"',
    ],
  },
  { raw: { price: 3 }, labels: {}, wrong: ["price must be a table: found 3"] },
  { raw: { models: ["m"] }, labels: {}, wrong: ['models must be a table of models: found ["m"]'] },
  {
    raw: { models: { m: true, n: { zdr: true } } },
    labels: { models: { n: { zdr: true } } },
    wrong: ["models.m must be a table: found true"],
  },
  {
    raw: { dataCollection: "deny", "data-collection": "deny", DATA_COLLECTION: "deny", zdr: true },
    labels: { zdr: true },
    wrong: ["dataCollection", "data-collection", "DATA_COLLECTION"].map(
      (name) => `${name} is unknown: the nearest is data_collection`,
    ),
  },
  {
    raw: { region: "eu" },
    labels: {},
    wrong: [
      "region is unknown: there are quantization, data_collection, zdr, distillable_text, supported_parameters, price, models",
    ],
  },
  {
    raw: { models: { price: { promt: 1, price: { promt: 1, zdr: true } } } },
    labels: { models: { price: { price: {} } } },
    wrong: [
      "models.price.price.promt is unknown: the nearest is prompt",
      "models.price.price.zdr is unknown: there are prompt, completion, request, image, audio",
      "models.price.promt is unknown: there are quantization, data_collection, zdr, distillable_text, supported_parameters, price",
    ],
  },
  {
    raw: { models: { "qwen2.5": { zdr: 1 }, "a\nb": { models: {} } } },
    labels: { models: { "qwen2.5": { zdr: undefined }, "a\nb": {} } },
    wrong: [
      'models."qwen2.5".zdr must be true or false: found 1',
      'models."a\\nb".models is unknown: there are quantization, data_collection, zdr, distillable_text, supported_parameters, price',
    ],
  },
];

for (const { raw, labels, wrong = [] } of CASES) {
  test(`readLabels() of ${String(JSON.stringify(raw)).slice(0, 80)}`, () => {
    const found = readLabels(raw);
    assert.deepEqual(JSON.parse(JSON.stringify(found.labels)), JSON.parse(JSON.stringify(labels)));
    assert.deepEqual(
      found.wrong.map(({ name, problem }) => `${name} ${problem}`).toSorted(),
      wrong.toSorted(),
    );
  });
}

test("a model's own label that is wrong does not leave the model with the one for all", () => {
  const { labels } = readLabels({ zdr: true, models: { m: { zdr: "no" }, n: { zrd: false } } });
  assert.equal(labelOf(labels, undefined, "zdr"), true);
  assert.equal(labelOf(labels, "m", "zdr"), undefined);
  assert.equal(labelOf(labels, "n", "zdr"), true);
});

test("readLabels() gives labels and one problem for each that is wrong, whatever it is given", () => {
  const key = fc.oneof(
    fc.constantFrom("zdr", "price", "prompt", "models", "supported_parameters", "__proto__", "m"),
    fc.string(),
  );
  const leaf = fc.oneof(fc.constantFrom<unknown>(true, 1, -1, "deny", null, Number.NaN), fc.jsonValue());
  const { table } = fc.letrec<{ table: unknown }>((tie) => ({
    table: fc.dictionary(key, fc.oneof({ depthSize: "small" }, leaf, fc.array(leaf), tie("table")), {
      noNullPrototype: true,
    }),
  }));
  const seen = { right: 0, wrong: 0 };
  fc.assert(
    fc.property(fc.oneof(table, leaf), (raw) => {
      const before = structuredClone(raw);
      const { labels, wrong } = readLabels(raw);
      assert.deepEqual(raw, before, "what was given is not changed");
      assert.deepEqual(labelsSchema.parse(labels), labels);
      assert.equal(wrong.length === 0, labelsSchema.safeParse(raw).success);
      assert.equal(new Set(wrong.map(({ name }) => name)).size, wrong.length);
      seen[wrong.length === 0 ? "right" : "wrong"]++;
    }),
    { numRuns: 500 },
  );
  assert.ok(seen.right > 0 && seen.wrong > 0, JSON.stringify(seen));
});
