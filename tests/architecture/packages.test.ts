import assert from "node:assert/strict";
import { test } from "node:test";
import { PROJECT_FILES, read } from "./source_tree.ts";

interface PackageJson {
  scripts: { check: string } & Record<string, string>;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
}

interface LockedPackage {
  version?: string;
  resolved?: string;
  integrity?: string;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

const { scripts, dependencies, devDependencies } = JSON.parse(read("package.json")) as PackageJson;
const { packages } = JSON.parse(read("package-lock.json")) as { packages: Record<string, LockedPackage> };
const declared = { ...dependencies, ...devDependencies };

test("every package is wanted in exactly one version, and locked in it", () => {
  assert.ok(Object.keys(declared).length > 0);
  for (const [name, version] of Object.entries(declared)) {
    assert.match(version, /^\d+\.\d+\.\d+$/, name);
    assert.equal(packages[`node_modules/${name}`]?.version, version, name);
  }
  assert.deepEqual(packages[""]?.dependencies, dependencies);
  assert.deepEqual(packages[""]?.devDependencies, devDependencies);
});

test("the lockfile knows packages by their digests, not by where somebody got them", () => {
  const locked = Object.entries(packages).filter(([path]) => path !== "");
  assert.ok(locked.length > Object.keys(declared).length);
  for (const [path, { integrity, resolved }] of locked) {
    assert.match(integrity ?? "", /^sha512-/, path);
    assert.equal(resolved, undefined, path);
  }
});

test("Python packages of the tests are pinned too", () => {
  const lists = PROJECT_FILES.filter((path) => path.endsWith("requirements.txt"));
  assert.ok(lists.length > 0);
  for (const list of lists) {
    for (const line of read(list).trim().split("\n")) assert.match(line, /^[\w-]+==[\w.]+$/, list);
  }
});

test("`check` is format, lint, types and generated pages", () => {
  const parts = scripts.check.split(" && ").map((part) => scripts[part.replace("bun run ", "")]);
  assert.deepEqual(parts, [
    "biome check --error-on-warnings .",
    "tsc --noEmit",
    "bun docs/generate.ts --check",
  ]);
});
