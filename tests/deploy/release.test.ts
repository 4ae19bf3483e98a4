import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { nativeTarget } from "../../deploy/release/targets.ts";
import { locate, read } from "../architecture/source_tree.ts";
import { BUN } from "../support/runtimes.ts";

const { version, dependencies } = JSON.parse(read("package.json"));
const hasNpm = process.env.SIGNALBOX_TEST_REQUIRE_ALL || spawnSync("npm", ["--version"]).status === 0;
const LIMIT = { timeout: 60_000 };

/** Build a release of this machine's target only. */
function release(): { folder: string; names: string[] } {
  const folder = mkdtempSync(join(tmpdir(), "signalbox-release-"));
  after(() => rmSync(folder, { recursive: true }));
  const args = [locate("deploy/release.ts"), "--into", folder, nativeTarget()!];
  const { status, stderr } = spawnSync(BUN, args, { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return { folder, names: readdirSync(folder).sort() };
}

test("a release has an executable, its parts and checksums", {
  ...LIMIT,
  skip: hasNpm ? false : "needs npm",
}, () => {
  const { folder, names } = release();
  const program = `signalbox-${version}-${nativeTarget()}`;
  assert.deepEqual(names, ["SHA256SUMS", program, `signalbox-${version}.cdx.json`]);

  const sums = readFileSync(join(folder, "SHA256SUMS"), "utf8");
  const digest = (name: string) =>
    createHash("sha256")
      .update(readFileSync(join(folder, name)))
      .digest("hex");
  assert.equal(
    sums,
    names
      .slice(1)
      .map((name) => `${digest(name)}  ${name}\n`)
      .join(""),
  );

  const { components } = JSON.parse(readFileSync(join(folder, `signalbox-${version}.cdx.json`), "utf8"));
  const listed = components.map(
    ({ name, version }: { name: string; version: string }) => `${name}@${version}`,
  );
  // Bun has WebSockets of its own: `ws` is for Deno.
  for (const name of Object.keys(dependencies)) {
    assert.equal(listed.includes(`${name}@${dependencies[name]}`), name !== "ws", name);
  }
  assert.ok(!listed.some((name: string) => name.startsWith("typescript@")), "no tool is in it");

  const smoke = spawnSync("sh", [locate("deploy/release/smoke.sh"), join(folder, program)], {
    encoding: "utf8",
  });
  assert.equal(smoke.status, 0, smoke.stderr);
});

test("a target that there is none of is told, with those that there are", () => {
  const args = [locate("deploy/release.ts"), "linux-s390x"];
  const { status, stderr } = spawnSync(BUN, args, { encoding: "utf8" });
  assert.notEqual(status, 0);
  assert.match(stderr, /Cannot build for linux-s390x: wanted linux-x64, /);
});

test("two builds of the same sources are the same bytes", LIMIT, () => {
  const folder = mkdtempSync(join(tmpdir(), "signalbox-build-"));
  after(() => rmSync(folder, { recursive: true }));
  const build = (name: string) => {
    const script = `import { compile } from ${JSON.stringify(locate("deploy/build.ts"))}; compile({ outfile: process.argv.at(-1) });`;
    const path = join(folder, name);
    const { status, stderr } = spawnSync(BUN, ["-e", script, path], { encoding: "utf8" });
    assert.equal(status, 0, stderr);
    return readFileSync(path);
  };
  assert.ok(build("one").equals(build("another")));
});
