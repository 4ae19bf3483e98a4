import assert from "node:assert/strict";
import { test } from "node:test";
import { explain } from "../../../server/routing/explain.ts";
import { PREFERENCE_RULES } from "../../../server/routing/preference_rules.ts";
import type { Preferences, RuleName } from "../../../server/routing/types.ts";
import { type Labels, labelsSchema } from "../../../shared/labels.ts";
import { fleetOf, type RequestFacts, request } from "./fleet_builder.ts";

/** Of one rule: a worker that declares this passes, or falls to it with these words. */
interface RuleCase {
  rule: RuleName;
  preferences: Preferences;
  request?: RequestFacts;
  passes: readonly Labels[];
  falls: readonly (readonly [labels: Labels, says: string])[];
}

/** A label for the model that is asked for, against one for all models. */
const ofModel = (labels: NonNullable<Labels["models"]>[string], others: Labels = {}): Labels => ({
  ...others,
  models: { m: labels },
});

const cases: readonly RuleCase[] = [
  {
    rule: "require_parameters",
    preferences: { requireParameters: true },
    request: { parameters: ["tools", "stop"] },
    passes: [
      { supported_parameters: ["stop", "tools"] },
      { supported_parameters: ["tools", "top_k", "stop"] },
      ofModel({ supported_parameters: ["tools", "stop"] }, { supported_parameters: [] }),
    ],
    falls: [
      [{}, "it declares no supported parameters"],
      [{ supported_parameters: [] }, "it does not support tools, stop"],
      [{ supported_parameters: ["tools"] }, "it does not support stop"],
      [{ supported_parameters: ["Tools", "stop"] }, "it does not support tools"],
      [
        ofModel({ supported_parameters: ["stop"] }, { supported_parameters: ["tools", "stop"] }),
        "it does not support tools",
      ],
    ],
  },
  {
    rule: "require_parameters",
    preferences: { requireParameters: true },
    request: { parameters: [] },
    // What it declares is all that is used, which is nothing; who declares nothing has not said so.
    passes: [{ supported_parameters: [] }, { supported_parameters: ["tools"] }],
    falls: [[{}, "it declares no supported parameters"]],
  },
  {
    rule: "require_parameters",
    preferences: { requireParameters: false },
    request: { parameters: ["tools"] },
    passes: [{}, { supported_parameters: [] }],
    falls: [],
  },
  {
    rule: "data_collection",
    preferences: { dataCollection: "deny" },
    passes: [
      { data_collection: "deny" },
      ofModel({ data_collection: "deny" }, { data_collection: "allow" }),
      ofModel({ zdr: false }, { data_collection: "deny" }),
    ],
    falls: [
      [{}, "wanted data_collection deny, it declares none"],
      [{ data_collection: "allow" }, "wanted data_collection deny, it declares allow"],
      [
        ofModel({ data_collection: "allow" }, { data_collection: "deny" }),
        "wanted data_collection deny, it declares allow",
      ],
      // Another model's label says nothing of this one.
      [{ models: { n: { data_collection: "deny" } } }, "wanted data_collection deny, it declares none"],
    ],
  },
  {
    rule: "data_collection",
    preferences: { dataCollection: "allow" },
    passes: [{}, { data_collection: "allow" }, { data_collection: "deny" }],
    falls: [],
  },
  {
    rule: "zdr",
    preferences: { zdr: true },
    passes: [{ zdr: true }, ofModel({ zdr: true }, { zdr: false })],
    falls: [
      [{}, "wanted zdr true, it declares none"],
      [{ zdr: false }, "wanted zdr true, it declares false"],
      [ofModel({ zdr: false }, { zdr: true }), "wanted zdr true, it declares false"],
    ],
  },
  {
    rule: "zdr",
    preferences: { zdr: false },
    passes: [{}, { zdr: false }, { zdr: true }],
    falls: [],
  },
  {
    rule: "enforce_distillable_text",
    preferences: { distillableText: true },
    passes: [{ distillable_text: true }, ofModel({ distillable_text: true })],
    falls: [
      [{}, "wanted distillable_text true, it declares none"],
      [{ distillable_text: false }, "wanted distillable_text true, it declares false"],
    ],
  },
  {
    rule: "quantizations",
    preferences: { quantizations: ["int4", "fp16"] },
    passes: [
      { quantization: "int4" },
      { quantization: "q4_k_m" },
      { quantization: "UD-Q4_K_XL" },
      { quantization: "F16" },
      ofModel({ quantization: "iq4_xs" }, { quantization: "q8_0" }),
    ],
    falls: [
      [{}, "wanted int4 or fp16, it declares none"],
      [{ quantization: "q8_0" }, "wanted int4 or fp16, it declares int8"],
      [{ quantization: "awq" }, "wanted int4 or fp16, it declares awq"],
      [{ quantization: "constructor" }, "wanted int4 or fp16, it declares constructor"],
    ],
  },
  {
    rule: "quantizations",
    preferences: { quantizations: ["unknown"] },
    passes: [{ quantization: "unknown" }],
    // Who declares none has not declared that it is unknown.
    falls: [[{}, "wanted unknown, it declares none"]],
  },
  {
    rule: "max_price",
    preferences: { maxPrice: { prompt: 1, completion: 2, request: 0, image: 0.5, audio: 3 } },
    passes: [
      {},
      { price: {} },
      { price: { prompt: 1, completion: 2, request: 0, image: 0.5, audio: 3 } },
      ofModel({ price: { prompt: 1 } }, { price: { prompt: 9 } }),
      // A model's price is a whole: what it leaves out is free.
      ofModel({ price: { prompt: 1 } }, { price: { completion: 9 } }),
    ],
    falls: [
      [{ price: { prompt: 1.01 } }, "wanted at most $1 for prompt, it takes $1.01"],
      [{ price: { completion: 3 } }, "wanted at most $2 for completion, it takes $3"],
      [{ price: { request: 0.001 } }, "wanted at most $0 for request, it takes $0.001"],
      [{ price: { image: 1 } }, "wanted at most $0.5 for image, it takes $1"],
      [{ price: { audio: 1e300 } }, "wanted at most $3 for audio, it takes $1e+300"],
      [{ price: { completion: 5, prompt: 5 } }, "wanted at most $1 for prompt, it takes $5"],
      [ofModel({ price: { prompt: 9 } }, { price: {} }), "wanted at most $1 for prompt, it takes $9"],
    ],
  },
  {
    rule: "max_price",
    preferences: { maxPrice: { completion: 0 } },
    passes: [{}, { price: { prompt: 100 } }],
    falls: [[{ price: { completion: 0.1 } }, "wanted at most $0 for completion, it takes $0.1"]],
  },
];

test("every rule of preferences has a case", () => {
  const covered = new Set<RuleName>([...cases.map(({ rule }) => rule), "only", "ignore", "fallbacks"]);
  assert.deepEqual(
    PREFERENCE_RULES.map(({ name }) => name).filter((name) => !covered.has(name)),
    [],
  );
});

for (const { rule, preferences, request: facts, passes, falls } of cases) {
  const asked = request({ ...facts, preferences });
  test(`${rule} with ${JSON.stringify(preferences)} passes who declares enough`, () => {
    for (const labels of passes) {
      labelsSchema.parse(labels);
      assert.deepEqual(explain(asked, fleetOf([{ labels }])).rejections, [], JSON.stringify(labels));
    }
  });
  test(`${rule} with ${JSON.stringify(preferences)} stops who does not`, () => {
    for (const [labels, says] of falls) {
      labelsSchema.parse(labels);
      const { rejections } = explain(asked, fleetOf([{ labels }]));
      assert.deepEqual(
        rejections.map((one) => [one.rule, one.detail]),
        [[rule, says]],
      );
    }
  });
}

test("labels of the model that a star serves count, and none without a model", () => {
  const labels = { models: { m: { zdr: true } } };
  const fleet = fleetOf([{ models: ["*"], labels }]);
  const eligible = (facts: RequestFacts) =>
    explain(request({ preferences: { zdr: true }, ...facts }), fleet).candidates.length;
  assert.equal(eligible({}), 1);
  assert.equal(eligible({ model: "m:nitro" }), 1);
  assert.equal(eligible({ model: "n" }), 0);
  assert.equal(eligible({ model: undefined }), 0);
  // A filter is asked for each model: a worker may fall with the first and pass with the next.
  assert.equal(eligible({ model: "n", models: ["m"] }), 1);
});

test("a model's own label that was a wrong one hides the label for all models", () => {
  const labels = { zdr: true, models: { m: { zdr: undefined } } } as unknown as Labels;
  const { rejections } = explain(request({ preferences: { zdr: true } }), fleetOf([{ labels }]));
  assert.deepEqual(
    rejections.map(({ rule }) => rule),
    ["zdr"],
  );
});

test("names that every object has are names like any other", () => {
  for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty", ""]) {
    const labels = JSON.parse(`{"models":{${JSON.stringify(name)}:{"zdr":true}}}`) as Labels;
    const eligible = (own: Labels, models: string[]) =>
      explain(
        request({ model: name, preferences: { zdr: true, only: [name || "x"] } }),
        fleetOf([{ labels: own, models, provider: name || "x" }]),
      ).candidates.length;
    assert.equal(eligible(labels, [name]), 1, name);
    assert.equal(eligible({}, [name]), 0, name);
    assert.equal(eligible(labels, ["m"]), 0, name);
  }
});
