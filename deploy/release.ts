/**
 * Builds what a release has, into `dist/release` or the folder behind `--into`: an executable for each system, the
 * licenses of what is in it, a bill of materials, checksums. `npm run release` builds for all systems,
 * `npm run release -- linux-x64` for those named.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import packageJson from "../package.json" with { type: "json" };
import { compile, ROOT } from "./build.ts";
import { bunExecutable, NoBun } from "./release/bun_executable.ts";
import { licenses } from "./release/licenses.ts";
import { sbom } from "./release/sbom.ts";
import { fileName, nativeTarget, TARGETS, type Target } from "./release/targets.ts";

const { values, positionals } = parseArgs({
  options: { into: { type: "string", default: join(ROOT, "dist", "release") } },
  allowPositionals: true,
});
const { version } = packageJson;
/** Emptied by nobody but `npm ci`: hundreds of megabytes. */
const CACHE = join(ROOT, "node_modules", ".cache", "signalbox");

/** Compile for one system. Gives the source files in it, or nothing where there is no Bun for it. */
function build(target: Target): string[] | undefined {
  const name = fileName(version, target);
  const outfile = join(values.into, name);
  try {
    const inputs = compile({ outfile, ...otherSystem(target) });
    console.log(`${name}${target === "darwin-x64" ? sign(outfile) : ""}`);
    return inputs;
  } catch (error) {
    if (!(error instanceof NoBun)) throw error;
    rmSync(outfile, { force: true });
    console.log(`${name}: left out, ${error.message}`);
    return undefined;
  }
}

/** This one's Bun is here and needs no download, so that a release always has it. */
function otherSystem(target: Target) {
  if (target === nativeTarget()) return {};
  return { target: { name: `bun-${target}`, executable: bunExecutable(target, CACHE) } };
}

/** Bun makes a valid signature for arm64 only (https://github.com/oven-sh/bun/pull/39837). Gives a remark. */
function sign(outfile: string): string {
  if (process.platform !== "darwin") return ": to be signed on macOS, codesign --force --sign - FILE";
  const { status, stderr } = spawnSync("codesign", ["--force", "--sign", "-", outfile], { encoding: "utf8" });
  if (status !== 0) throw new Error(`Cannot sign ${outfile}: ${stderr}`);
  return "";
}

/** As `sha256sum --check` reads it. */
function checksum(name: string): string {
  return `${createHash("sha256")
    .update(readFileSync(join(values.into, name)))
    .digest("hex")}  ${name}\n`;
}

function wantedTargets(names: readonly string[]): readonly Target[] {
  const unknown = names.find((name) => !TARGETS.some((target) => target === name));
  if (unknown) throw new Error(`Cannot build for ${unknown}: wanted ${TARGETS.join(", ")}`);
  return names.length === 0 ? TARGETS : TARGETS.filter((target) => names.includes(target));
}

// Bytecode is for the very version that runs it.
const wanted = packageJson.dependencies.bun;
if (process.versions.bun !== wanted) throw new Error(`Cannot build: wanted Bun ${wanted}: npm run release`);

const built = wantedTargets(positionals).flatMap((target) => {
  const inputs = build(target);
  return inputs ? [{ name: fileName(version, target), inputs }] : [];
});
if (built.length === 0) throw new Error("Cannot release: nothing was built");
const inputs = built.flatMap((executable) => executable.inputs);
const parts = `signalbox-${version}.cdx.json`;
writeFileSync(join(values.into, parts), `${JSON.stringify(sbom(inputs), null, 2)}\n`);
const texts = `signalbox-${version}-licenses.txt`;
writeFileSync(join(values.into, texts), licenses(inputs));
const names = [...built.map(({ name }) => name), texts, parts];
writeFileSync(join(values.into, "SHA256SUMS"), names.map(checksum).join(""));
