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
  optionalDependencies?: Record<string, string>;
  optional?: boolean;
  os?: string[];
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
  for (const [path, { integrity, resolved, optional, os }] of locked) {
    // Executables for other systems, which the registry that made the lockfile may not have had.
    const foreign = optional === true && os !== undefined;
    if (integrity !== undefined || !foreign) assert.match(integrity ?? "", /^sha512-/, path);
    assert.equal(resolved, undefined, path);
  }
});

// npm leaves out what it cannot look up when it writes a lockfile, and then its `npm ci` refuses that lockfile.
test("the lockfile has the optional packages of every system: `npm ci` wants them all", () => {
  const wanted = Object.values(packages).flatMap((entry) => Object.entries(entry.optionalDependencies ?? {}));
  assert.ok(wanted.length > 10);
  for (const [name, version] of wanted) {
    assert.equal(packages[`node_modules/${name}`]?.version, version, name);
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
    "tsc --noEmit && tsc --noEmit --project server/dashboard/page",
    "bun docs/generate.ts --check",
  ]);
});
