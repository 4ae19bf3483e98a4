import assert from "node:assert/strict";
import { test } from "node:test";
import { decideFor } from "./override_builder.ts";
import vectors from "./override_vectors.json" with { type: "json" };

interface Vector {
  name: string;
  header_value: string;
  allowlist: string[];
  expect: string;
  why: string;
  /** What the name resolves to: it is the dialer that looks at it. */
  dns?: string[];
}

const all: readonly Vector[] = vectors;

test("all vectors are here", () => {
  assert.equal(all.length, 110);
  assert.equal(all.filter(({ expect }) => expect === "accept").length, 9);
  assert.equal(all.filter(({ dns }) => dns).length, 10);
});

for (const { name, header_value, allowlist, expect, why, dns } of all) {
  const accepted = expect === "accept" || dns !== undefined;
  test(`decideOverride() ${accepted ? "accepts" : "refuses"} ${name}: ${dns ? "its name is in order" : why}`, () => {
    const decision = decideFor(header_value, allowlist);
    if (decision.type === "refuse") {
      assert.equal(accepted, false, decision.detail);
      assert.match(decision.code, /^override_(?:invalid|not_listed)$/);
      return;
    }
    assert.equal(accepted, true);
    assert.equal(decision.target.url, header_value);
    assert.ok(allowlist.includes(decision.target.pattern));
  });
}
