import assert from "node:assert/strict";
import { test } from "node:test";
import { OverrideTally } from "../../../server/override/tally.ts";

test("OverrideTally has nothing to tell before the first request, and then what came of each", () => {
  const tally = new OverrideTally();
  assert.equal(tally.report(), undefined);
  tally.began();
  tally.began();
  assert.deepEqual([tally.underWay, tally.report()], [2, undefined]);
  tally.ended("oci", "200");
  assert.equal(tally.underWay, 1);
  tally.ended("oci", "200");
  tally.refused("override_not_listed");
  assert.equal(tally.underWay, 0);
  assert.deepEqual(tally.report(), { oci: { 200: 2 }, "": { override_not_listed: 1 } });
});
