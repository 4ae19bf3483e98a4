import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import lockfile from "../../package-lock.json" with { type: "json" };
import { bunPackage, type Target } from "./targets.ts";

/** Puts the tarball of a package (`name@version`) into a folder and gives its path. Throws when there is none. */
export type Fetch = (wanted: string, folder: string) => string;

/** There is no Bun for a target: a release goes without it. */
export class NoBun extends Error {
  override name = "NoBun";
}

/**
 * Bun's executable for a target: from its npm package, in the version and with the digest that the lockfile has. It is
 * kept in `cache` for the next time.
 *
 * @throws NoBun when the registry or the lockfile does not have it
 * @throws Error when what came is not what the lockfile wants
 */
export function bunExecutable(target: Target, cache: string, fetch: Fetch = npmPack): string {
  const { version, integrity } = locked(target);
  const home = join(cache, `${target}-${version}`);
  const executable = join(home, "package", "bin", target.startsWith("windows") ? "bun.exe" : "bun");
  if (existsSync(executable)) return executable;
  mkdirSync(cache, { recursive: true });
  const scratch = mkdtempSync(join(cache, ".fetch-"));
  try {
    const wanted = `${bunPackage(target)}@${version}`;
    const tarball = fetch(wanted, scratch);
    const digest = `sha512-${createHash("sha512").update(readFileSync(tarball)).digest("base64")}`;
    if (digest !== integrity) {
      throw new Error(`Cannot use ${wanted}: wanted ${integrity}, as in the lockfile, found ${digest}`);
    }
    unpack(tarball, scratch);
    rmSync(tarball);
    rmSync(home, { recursive: true, force: true });
    renameSync(scratch, home);
    return executable;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function locked(target: Target): { version: string; integrity: string } {
  const packages: Record<string, { version?: string; integrity?: string }> = lockfile.packages;
  const { version, integrity } = packages[`node_modules/${bunPackage(target)}`] ?? {};
  if (version === undefined || integrity === undefined) {
    throw new NoBun(`the lockfile has no digest of ${bunPackage(target)}`);
  }
  return { version, integrity };
}

/** From whatever registry npm is set to. */
function npmPack(wanted: string, folder: string): string {
  const args = ["pack", wanted, "--json", "--pack-destination", folder];
  // On Windows npm is a script of the shell's.
  const shell = process.platform === "win32";
  const npm = spawnSync("npm", args, { encoding: "utf8", shell });
  if (npm.status !== 0) throw new NoBun(`npm has no ${wanted}`, { cause: npm.error ?? npm.stderr });
  const [packed] = JSON.parse(npm.stdout) as { filename: string }[];
  return join(folder, packed!.filename);
}

function unpack(tarball: string, folder: string): void {
  const tar = spawnSync("tar", ["-xzf", tarball, "-C", folder], { encoding: "utf8" });
  if (tar.status !== 0) throw new Error(`Cannot unpack ${tarball}: ${tar.error?.message ?? tar.stderr}`);
}
