/** One row of the manual's table: how quantizations are written, and what they are to routing. */
export interface QuantizationRow {
  readonly is: string;
  /** Examples, as they are written. */
  readonly written: readonly string[];
  readonly why: string;
  readonly pattern: RegExp;
}

/** GGUF's names of so many bits per weight: `q4_k_m`, `iq4_xs`, `ud-q4_k_xl`, `mostly_q4_0`; `tq…` is ternary. */
const gguf = (bits: number) => new RegExp(`^(?:ud_|mostly_)?[it]?q${bits}(?:_[a-z0-9]+)*$`);

/**
 * What the names of quantizations mean to `provider.quantizations` and to the label of a worker: both are mapped
 * by this table, and then compared. The names are OpenRouter's (int4, int8, fp4, mxfp4, nvfp4, fp6, fp8, mxfp8, fp16,
 * bf16, fp32, unknown), which has none for integers of other widths: those are named in the same manner, for to be rounded up
 * would promise a client more than it gets, and to be rounded down would keep workers from it that do better.
 */
export const QUANTIZATIONS: readonly QuantizationRow[] = [
  {
    is: "fp32",
    written: ["f32", "float32"],
    why: "nothing is quantized",
    pattern: /^(?:mostly_|all_)?(?:f|float)32$/,
  },
  {
    is: "fp16",
    written: ["f16", "float16"],
    why: "half precision",
    pattern: /^(?:mostly_)?(?:f|float)16$/,
  },
  { is: "bf16", written: ["bf16", "bfloat16"], why: "bfloat16", pattern: /^(?:mostly_)?b(?:f|float)16$/ },
  {
    is: "mxfp4",
    written: ["mxfp4_moe"],
    why: "4-bit floats with shared scales, as OpenRouter names them too",
    pattern: /^(?:mostly_)?mxfp4(?:_[a-z0-9]+)*$/,
  },
  { is: "int8", written: ["q8_0", "q8_k_xl"], why: "8-bit integers with scales", pattern: gguf(8) },
  {
    is: "int6",
    written: ["q6_k"],
    why: "6-bit integers: more than int4, less than int8, and no fp6, which is a float",
    pattern: gguf(6),
  },
  { is: "int5", written: ["q5_0", "q5_1", "q5_k_s", "q5_k_m"], why: "5-bit integers", pattern: gguf(5) },
  {
    is: "int4",
    written: ["q4_0", "q4_1", "q4_k_s", "q4_k_m", "iq4_nl", "iq4_xs"],
    why: "4-bit integers; the K mixes keep a few tensors at 6 bits and are named by most of them",
    pattern: gguf(4),
  },
  {
    is: "int3",
    written: ["q3_k_s", "q3_k_m", "q3_k_l", "iq3_xxs", "iq3_s"],
    why: "3-bit integers",
    pattern: gguf(3),
  },
  {
    is: "int2",
    written: ["q2_k", "q2_k_s", "iq2_xxs", "iq2_m", "tq2_0"],
    why: "2-bit integers",
    pattern: gguf(2),
  },
  { is: "int1", written: ["iq1_s", "iq1_m", "tq1_0"], why: "fewer than 2 bits", pattern: gguf(1) },
];

/** A quantization as routing compares it: by the table, any other name in lower case. */
export function normalQuantization(name: string): string {
  const lower = name.trim().toLowerCase();
  const plain = lower.replaceAll("-", "_");
  return QUANTIZATIONS.find(({ pattern }) => pattern.test(plain))?.is ?? lower;
}
