import { spawnSync } from "node:child_process";
import process from "node:process";
import lockfile from "../../package-lock.json" with { type: "json" };
import { ROOT } from "../build.ts";
import { installed, type Package, packagesOf } from "./packages.ts";

/** What is read of a CycloneDX document; the rest of it stays as npm wrote it. */
export interface Sbom {
  serialNumber?: string | undefined;
  metadata: { timestamp?: string | undefined; component: { name: string } };
  components: { "bom-ref": string; name: string; version: string }[];
  dependencies: { ref: string; dependsOn: string[] }[];
}

/**
 * A bill of materials (CycloneDX 1.5, JSON) of an executable with these source files in it: what `npm sbom` tells of
 * their packages, and of Bun.
 */
export function sbom(inputs: readonly string[]): Sbom {
  // Not --omit=dev: it also leaves out what a tool of ours wants as a peer, such as zod.
  const args = ["sbom", "--sbom-format=cyclonedx", "--sbom-type=application", "--package-lock-only"];
  const npm = spawnSync("npm", args, { cwd: ROOT, encoding: "utf8", shell: process.platform === "win32" });
  if (npm.status !== 0) throw new Error(`Cannot list packages: ${npm.error?.message ?? npm.stderr}`);
  const parts = [installed("node_modules/bun"), ...packagesOf(inputs)];
  return restrict(JSON.parse(npm.stdout) as Sbom, new Set(parts.map(reference)));
}

function reference({ name, version }: Package): string {
  return `${name}@${version}`;
}

function restrict(document: Sbom, kept: ReadonlySet<string>): Sbom {
  const component = { ...document.metadata.component, name: lockfile.name };
  const components = document.components.filter((entry) => kept.has(entry["bom-ref"]));
  const missing = [...kept].filter((ref) => !components.some((entry) => entry["bom-ref"] === ref));
  if (missing.length > 0) throw new Error(`Cannot list packages: npm does not know ${missing.join(", ")}`);
  const root = `${lockfile.name}@${lockfile.version}`;
  const dependencies = document.dependencies
    .filter(({ ref }) => ref === root || kept.has(ref))
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((other) => kept.has(other)) }));
  return {
    ...document,
    // By chance and by the clock, and neither is asked for: the same sources are to give the same release.
    serialNumber: undefined,
    metadata: { ...document.metadata, timestamp: undefined, component },
    components,
    dependencies,
  };
}
