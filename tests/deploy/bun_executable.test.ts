import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { bunExecutable, NoBun } from "../../deploy/release/bun_executable.ts";
import { bunPackage, nativeTarget, TARGETS } from "../../deploy/release/targets.ts";
import { locate, PROJECT_FILES, read } from "../architecture/source_tree.ts";

function emptyCache(): string {
  const folder = mkdtempSync(join(tmpdir(), "signalbox-cache-"));
  after(() => rmSync(folder, { recursive: true }));
  return folder;
}

test("a package that is not what the lockfile wants is not used, and not kept", () => {
  const cache = emptyCache();
  const fetch = (wanted: string, folder: string) => {
    assert.match(wanted, /^@oven\/bun-linux-aarch64-musl@\d+\.\d+\.\d+$/);
    const path = join(folder, "package.tgz");
    writeFileSync(path, "something else");
    return path;
  };
  assert.throws(
    () => bunExecutable("linux-arm64-musl", cache, fetch),
    /wanted sha512-\S+, as .*, found sha512-/,
  );
  assert.deepEqual(readdirSync(cache), []);
});

test("a package that nobody has is told apart: a release goes without it", () => {
  const cache = emptyCache();
  const fetch = () => {
    throw new NoBun("npm has none");
  };
  assert.throws(() => bunExecutable("windows-x64", cache, fetch), NoBun);
  assert.deepEqual(readdirSync(cache), []);
});

test("the lockfile has the digest of Bun for every target", () => {
  const { packages } = JSON.parse(read("package-lock.json"));
  assert.ok(TARGETS.length > 0);
  for (const target of TARGETS) {
    assert.match(packages[`node_modules/${bunPackage(target)}`]?.integrity ?? "", /^sha512-/, target);
  }
});

test("the machine that runs the tests is one that a release is for", () => {
  const native = nativeTarget();
  assert.ok(native && TARGETS.includes(native));
});

test("workflows test every target, and start only scripts that there are", () => {
  const workflows = PROJECT_FILES.filter((path) => path.startsWith(".github/workflows/"));
  assert.ok(workflows.length > 1);
  const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
  for (const path of workflows) {
    const text = read(path);
    for (const [, script] of text.matchAll(/npm run ([\w:]+)/g))
      assert.ok(scripts[script!], `${path}: ${script}`);
    for (const [, file] of text.matchAll(/\s((?:\.ci|deploy)\/[\w./]+)/g))
      assert.ok(existsSync(locate(file!)), file!);
  }
  const tested = [...read(".github/workflows/release.yml").matchAll(/target: ([\w-]+)/g)].map(
    ([, name]) => name!,
  );
  assert.deepEqual(tested.sort(), [...TARGETS].sort());
});
