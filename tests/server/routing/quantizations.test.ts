import assert from "node:assert/strict";
import { test } from "node:test";
import { normalQuantization, QUANTIZATIONS } from "../../../server/routing/quantizations.ts";

for (const { is, written } of QUANTIZATIONS) {
  test(`normalQuantization() takes ${written.join(", ")} for ${is}`, () => {
    assert.ok(written.length > 0);
    for (const name of written) {
      assert.equal(normalQuantization(name), is);
      assert.equal(normalQuantization(name.toUpperCase()), is);
      assert.equal(normalQuantization(is), is);
    }
  });
}

const names: Readonly<Record<string, string>> = {
  "UD-Q4_K_XL": "int4",
  MOSTLY_Q5_K_M: "int5",
  MOSTLY_BF16: "bf16",
  ALL_F32: "fp32",
  Q4_0_4_4: "int4",
  q8: "int8",
  IQ2_XXS: "int2",
  MXFP4_MOE: "mxfp4",
  " fp8 ": "fp8",
};
test("normalQuantization() takes GGUF's names as they stand in files and their names", () => {
  for (const [name, is] of Object.entries(names)) assert.equal(normalQuantization(name), is, name);
});

test("normalQuantization() leaves other names but for their case", () => {
  for (const name of [
    "int4",
    "fp4",
    "mxfp4",
    "nvfp4",
    "mxfp8",
    "fp6",
    "fp8",
    "fp16",
    "unknown",
    "awq",
    "q9_0",
    "q4k",
    "xq4_0",
    "",
  ]) {
    assert.equal(normalQuantization(name), name);
  }
  assert.equal(normalQuantization("GPTQ-Int4"), "gptq-int4");
});

test("no name fits two rows of the table", () => {
  for (const { is, written } of QUANTIZATIONS) {
    for (const name of written) {
      assert.deepEqual(
        QUANTIZATIONS.filter(({ pattern }) => pattern.test(name)).map((row) => row.is),
        [is],
      );
    }
  }
});
