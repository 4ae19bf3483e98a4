import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { z } from "zod";
import {
  count,
  countOrNone,
  duration,
  durationOrNone,
  positiveDuration,
  printDuration,
  printSize,
  size,
} from "../../../shared/settings/amounts.ts";
import { testKinds } from "./kind_cases.ts";

testKinds({
  duration: {
    kind: duration,
    reads: [
      ["250ms", 250],
      ["30s", 30_000],
      ["1.5s", 1500],
      ["2m", 120_000],
      ["1h", 3_600_000],
      ["24d", 2_073_600_000],
      [" 5 s ", 5000],
      ["30", 30_000],
      [30, 30_000],
      ["0", 0],
    ],
    refuses: [
      ["soon", '"soon" is not a duration'],
      ["", '"" is not a duration'],
      ["-1s", '"-1s" is not a duration'],
      ["1e3", '"1e3" is not a duration'],
      ["5 minutes", '"5 minutes" is not a duration'],
      ["25d", '"25d" is longer than 24d'],
      ["0.1ms", '"0.1ms" is shorter than a millisecond'],
      [true, "true is not a duration"],
      [Number.POSITIVE_INFINITY, "null is not a duration"],
    ],
  },
  positiveDuration: { kind: positiveDuration, refuses: [["0", '"0" is not longer than 0']] },
  durationOrNone: {
    kind: durationOrNone,
    reads: [
      ["0", Number.POSITIVE_INFINITY],
      [0, Number.POSITIVE_INFINITY],
      ["1ms", 1],
    ],
  },
  size: {
    kind: size,
    reads: [
      ["0", 0],
      [1024, 1024],
      ["500KB", 500_000],
      ["64MiB", 67_108_864],
      ["1.5 gib", 1_610_612_736],
      ["4GiB", 4_294_967_296],
    ],
    refuses: [
      ["big", '"big" is not a size'],
      ["4 bytes", '"4 bytes" is not a size'],
      ["-1", '"-1" is not a size'],
      ["1valueof", '"1valueof" is not a size'],
      ["9999999TiB", '"9999999TiB" is too large'],
    ],
  },
  count: {
    kind: count,
    reads: [
      ["1", 1],
      [64, 64],
    ],
    refuses: [
      ["0", '"0" is not a number from 1'],
      ["1.5", '"1.5" is not a whole number'],
      ["1e3", '"1e3" is not a whole number'],
    ],
  },
  countOrNone: { kind: countOrNone, reads: [["0", Number.POSITIVE_INFINITY]] },
});

test("a printed duration reads as itself", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2_073_600_000 }), (ms) => {
      assert.equal(z.decode(duration.codec, printDuration(ms)), ms);
    }),
  );
});

test("a printed size reads as itself", () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (bytes) => {
      assert.equal(z.decode(size.codec, printSize(bytes)), bytes);
    }),
  );
});
