import assert from "node:assert/strict";
import { test } from "node:test";
import { LABELS_MAX_UNITS } from "../../../shared/labels.ts";
import { usd } from "../../../shared/settings/amounts.ts";
import { labelsTable, parameters } from "../../../shared/settings/labels_table.ts";
import { printSettings } from "../../../shared/settings/print.ts";
import { workerSettings } from "../../../worker/settings.ts";
import { testKinds } from "./kind_cases.ts";
import { complaint, worker } from "./written.ts";

const tooLong = { quantization: "x".repeat(LABELS_MAX_UNITS) };

testKinds({
  labelsTable: {
    kind: labelsTable,
    reads: [
      [{}, {}],
      [
        '{"zdr":true,"models":{"m":{"price":{"prompt":0.1}}}}',
        { zdr: true, models: { m: { price: { prompt: 0.1 } } } },
      ],
    ],
    refuses: [
      ["zdr", '"zdr" is not JSON'],
      ["3", "labels must be a table: found 3"],
      [true, "labels must be a table: found true"],
      [{ zdrr: true }, "zdrr is unknown: the nearest is zdr"],
      [{ zdr: "yes" }, 'zdr must be true or false: found "yes"'],
      [{ price: { promt: 1 } }, "price.promt is unknown: the nearest is prompt"],
      [
        tooLong,
        `labels must have at most ${LABELS_MAX_UNITS} characters as JSON: found ${LABELS_MAX_UNITS + 19}`,
      ],
    ],
  },
  parameters: {
    kind: parameters,
    reads: [["tools, temperature,tools", ["tools", "temperature"]]],
    refuses: [["", '"" names nothing']],
  },
  usd: {
    kind: usd,
    reads: [
      ["0.15", 0.15],
      [0, 0],
      [1e-7, 1e-7],
    ],
    refuses: [
      ["-1", '"-1" is not a price from 0'],
      ["$1", '"$1" is not a price from 0'],
      ["1e999", '"1e999" is not a price from 0'],
      [true, "true is not a price from 0"],
    ],
  },
});

const FILE = `
data_collection = "deny"
price_prompt = 0.5
[labels]
zdr = true
[labels.price]
prompt = 0.1
completion = 0.2
[labels.models."qwen 2.5"]
quantization = "q4_k_m"
supported_parameters = ["tools"]
`;

test("labels are read from a file with tables below tables", () => {
  const { settings } = worker({ flags: { config: "w.toml" }, files: { "w.toml": FILE } });
  assert.deepEqual(settings.labels, {
    zdr: true,
    price: { prompt: 0.1, completion: 0.2 },
    models: { "qwen 2.5": { quantization: "q4_k_m", supported_parameters: ["tools"] } },
  });
  assert.deepEqual([settings.dataCollection, settings.pricePrompt, settings.zdr], ["deny", 0.5, undefined]);
});

test("labels are printed as a file that gives them again", () => {
  const first = worker({ flags: { config: "w.toml" }, files: { "w.toml": FILE } });
  const printed = printSettings(workerSettings, first);
  assert.match(printed, /^labels = \{ zdr = true, .* models = \{ "qwen 2\.5" = \{ .* # labels in w\.toml$/m);
  const again = worker({ flags: { config: "p.toml" }, files: { "p.toml": printed } });
  assert.deepEqual(again.settings, first.settings);
});

test("each label is also a flag and a variable", () => {
  const { settings } = worker({
    flags: { zdr: "false", quantization: "int8", "supported-parameters": ["tools,seed"] },
    env: {
      SIGNALBOX_DATA_COLLECTION: "allow",
      SIGNALBOX_DISTILLABLE_TEXT: "true",
      SIGNALBOX_PRICE_COMPLETION: "0.6",
      SIGNALBOX_LABELS: '{"quantization":"fp16"}',
    },
  });
  assert.deepEqual(
    {
      labels: { quantization: "fp16" },
      zdr: false,
      quantization: "int8",
      supportedParameters: ["tools", "seed"],
      dataCollection: "allow",
      distillableText: true,
      priceCompletion: 0.6,
    },
    Object.fromEntries(
      [
        ...["labels", "zdr", "quantization", "supportedParameters", "dataCollection", "distillableText"],
        "priceCompletion",
      ].map((key) => [key, settings[key as keyof typeof settings]]),
    ),
  );
});

test("what is wrong in the table is told with its place and a hint", () => {
  const files = { "w.toml": "[labels.models.llama3.price]\nprompt = true" };
  assert.deepEqual(
    complaint(() => worker({ flags: { config: "w.toml" }, files })),
    [
      "Cannot read labels in w.toml, line 1: models.llama3.price.prompt must be a number from 0: found true",
      'write a [labels] table in the file, or JSON: {"zdr":true,"price":{"prompt":0.1}}',
    ],
  );
});
