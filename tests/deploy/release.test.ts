import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { licenses } from "../../deploy/release/licenses.ts";
import { sbom } from "../../deploy/release/sbom.ts";
import { nativeTarget } from "../../deploy/release/targets.ts";
import { locate, read } from "../architecture/source_tree.ts";
import { python } from "../support/python.ts";
import { BUN } from "../support/runtimes.ts";

const { version, dependencies } = JSON.parse(read("package.json"));
const hasNpm = process.env.SIGNALBOX_TEST_REQUIRE_ALL || spawnSync("npm", ["--version"]).status === 0;
const LIMIT = { timeout: 60_000 };

interface Component {
  name: string;
  version: string;
}

const folder = mkdtempSync(join(tmpdir(), "signalbox-release-"));
after(() => rmSync(folder, { recursive: true }));

/** Build a release of this machine's target only, once. Gives the names of its files. */
function release(): string[] {
  const there = readdirSync(folder).sort();
  if (there.length > 0) return there;
  const args = [locate("deploy/release.ts"), "--into", folder, nativeTarget()!];
  const { status, stderr } = spawnSync(BUN, args, { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return readdirSync(folder).sort();
}

test("a release has an executable, its parts with their licenses, and checksums", {
  ...LIMIT,
  skip: hasNpm ? false : "needs npm",
}, () => {
  const names = release();
  const program = `signalbox-${version}-${nativeTarget()}`;
  const [texts, parts] = [`signalbox-${version}-licenses.txt`, `signalbox-${version}.cdx.json`];
  assert.deepEqual(names, ["SHA256SUMS", texts, program, parts].sort());

  const sums = readFileSync(join(folder, "SHA256SUMS"), "utf8");
  const digest = (name: string) =>
    createHash("sha256")
      .update(readFileSync(join(folder, name)))
      .digest("hex");
  assert.equal(sums, [program, texts, parts].map((name) => `${digest(name)}  ${name}\n`).join(""));

  const { components } = JSON.parse(readFileSync(join(folder, parts), "utf8")) as { components: Component[] };
  const listed = components.map(({ name, version }) => `${name}@${version}`);
  // Bun has WebSockets of its own: `ws` is for Deno.
  for (const name of Object.keys(dependencies)) {
    assert.equal(listed.includes(`${name}@${dependencies[name]}`), name !== "ws", name);
  }
  assert.ok(!listed.some((name) => name.startsWith("typescript@")), "no tool is in it");
  hasLicenses(readFileSync(join(folder, texts), "utf8"), components);

  const smoke = spawnSync("sh", [locate("deploy/release/smoke.sh"), join(folder, program)], {
    encoding: "utf8",
  });
  assert.equal(smoke.status, 0, smoke.stderr);
});

/** Each of these by name, and below it the whole text that came with it. */
function hasLicenses(text: string, components: readonly Component[]): void {
  const parts = new Map(
    [...text.matchAll(/^(=+)\n(.+)\n\1\n\n([\s\S]*?)(?=\n=+\n.+\n=+\n|$(?![\s\S]))/gm)].map(
      ([, , title, body]) => [title, body!],
    ),
  );
  assert.deepEqual(
    [...parts.keys()].sort(),
    ["Signalbox", ...components.map(({ name, version }) => `${name} ${version}`)].sort(),
  );
  assert.match(parts.get("Signalbox")!, /The Signalbox authors/);
  for (const { name, version } of components) {
    const body = parts.get(`${name} ${version}`)!;
    assert.match(body, /licen[cs]e|permission|redistribution/i, name);
    if (name === "bun") continue;
    const own = readdirSync(locate(`node_modules/${name}`)).find((file) => /^licen[cs]e/i.test(file));
    assert.ok(own && body.includes(read(`node_modules/${name}/${own}`).trim()), name);
  }
  // What the page of Bun's manual has to tell, and its libraries.
  for (const word of ["MIT", "LGPL", "JavaScriptCore", "boringssl", "uWebsockets"])
    assert.ok(parts.get(`bun ${dependencies.bun}`)!.includes(word), word);
}

test("the bill of materials is as its schema wants it", {
  ...LIMIT,
  skip: (hasNpm ? undefined : "needs npm") ?? python.lacks("cyclonedx"),
}, () => {
  release();
  const script = `import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
print(JsonStrictValidator(SchemaVersion.V1_5).validate_str(sys.stdin.read()))`;
  const text = readFileSync(join(folder, `signalbox-${version}.cdx.json`), "utf8");
  const verdict = (input: string) => python.run(["-c", script], { input }).stdout;
  assert.equal(verdict(text), "None\n");
  assert.match(verdict(text.replace(`"1.5"`, `"1.5", "wrong": 1`)), /'wrong' was unexpected/);
});

test("a package that has no license's text is told, not left out", () => {
  const inputs = ["main.ts", "node_modules/bun/install.js"];
  assert.throws(() => licenses(inputs), /Cannot list licenses: node_modules\/bun has no file with one/);
});

test("the same sources give the same bill of materials", {
  ...LIMIT,
  skip: hasNpm ? false : "needs npm",
}, () => {
  // Its npm notes the time in milliseconds, and a number by chance.
  const [one, another] = [1, 2].map(() => JSON.stringify(sbom(["node_modules/zod/index.js"])));
  assert.ok(one!.includes(`"zod@${dependencies.zod}"`));
  assert.equal(one, another);
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
