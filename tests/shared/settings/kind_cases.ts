import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import type { Kind } from "../../../shared/settings/field.ts";

export interface KindCase {
  kind: Kind<unknown>;
  reads?: [raw: unknown, value: unknown][];
  refuses?: [raw: unknown, message: string][];
}

/** A test for each kind: it reads what it should and says what is wrong with the rest. */
export function testKinds(cases: Readonly<Record<string, KindCase>>): void {
  for (const [title, { kind, reads = [], refuses = [] }] of Object.entries(cases)) {
    test(`${title} reads what it should and refuses the rest`, () => {
      assert.ok(reads.length + refuses.length > 0);
      for (const [raw, value] of reads)
        assert.deepEqual(z.decode(kind.codec, raw), value, JSON.stringify(raw));
      for (const [raw, message] of refuses) {
        const { error } = z.safeDecode(kind.codec, raw);
        assert.equal(error?.issues[0]?.message, message, JSON.stringify(raw));
      }
    });
  }
}
