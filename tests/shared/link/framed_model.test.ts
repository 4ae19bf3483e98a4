import { test } from "node:test";
import fc from "fast-check";
import { FramedModel } from "./framed_model.ts";

const KIB = 1024;

/** At the edges of what a frame, a turn, a message and a window hold. */
const SIZES = [
  0,
  1,
  1000,
  16 * KIB - 1,
  16 * KIB,
  16 * KIB + 1,
  64 * KIB - 10,
  64 * KIB - 1,
  64 * KIB,
  64 * KIB + 1,
];
const length = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...SIZES) },
  { weight: 2, arbitrary: fc.nat(300 * KIB) },
  { weight: 1, arbitrary: fc.constant(1024 * KIB) },
);

const side = fc.constantFrom("relay" as const, "worker" as const);
const which = fc.nat();
const command = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant("open" as const), hasBody: fc.boolean() }) },
  { weight: 12, arbitrary: fc.record({ do: fc.constant("write" as const), which, side, length }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("end" as const), which, side }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("reset" as const), which, side }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant("consume" as const), which, side, share: fc.nat(8) }) },
  { weight: 10, arbitrary: fc.record({ do: fc.constant("step" as const) }) },
);
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never;

function run(model: FramedModel, taken: Command): void {
  if (taken.do === "open") return model.open(taken.hasBody);
  if (taken.do === "step") {
    model.pair.step();
    return model.checkMemory();
  }
  const exchange = model.exchanges[taken.which % model.exchanges.length];
  if (!exchange) return;
  if (taken.do === "write") model.write(exchange, taken.side, taken.length);
  if (taken.do === "end") model.end(exchange, taken.side);
  if (taken.do === "reset") model.reset(exchange, taken.side);
  if (taken.do === "consume") model.consume(exchange, taken.side, taken.share);
}

for (const accepts of ["one", "half", "all"] as const) {
  test(`whatever both ends do, what arrives is what was sent; the socket takes ${accepts} at a time`, () => {
    fc.assert(
      fc.property(fc.array(command, { minLength: 20, maxLength: 120, size: "max" }), (commands) => {
        const model = new FramedModel(accepts);
        for (const taken of commands) run(model, taken);
        model.drain();
      }),
      { numRuns: 150 },
    );
  });
}
