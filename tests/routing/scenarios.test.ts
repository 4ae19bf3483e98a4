import assert from "node:assert/strict";
import { join, relative } from "node:path";
import { test } from "node:test";
import { runScenarios } from "../../server/route_test/run_scenarios.ts";

/** Every scenario of this folder, by the code of `signalbox route-test --scenario`. */
const FOLDER = join(import.meta.dirname, "scenarios");

const { scenarios } = runScenarios(FOLDER);

test("there are scenarios", () => assert.ok(scenarios.length >= 8));

test("every scenario has a title of its own", () => {
  assert.equal(new Set(scenarios.map(({ title }) => title)).size, scenarios.length);
});

for (const { file, title, differences } of scenarios) {
  test(`${relative(FOLDER, file)}: ${title}`, () => assert.deepEqual(differences, []));
}
