import { type SpawnSyncOptions, spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

/** Checkers of what `deploy/` has, of other projects: `tests/deploy/requirements.txt` in `.venv`. */

const VENV = join(import.meta.dirname, "../../.venv");

export const python = {
  /** For the `skip` of a test: why it cannot run here, where nobody installed that package. */
  lacks(name: string): string | undefined {
    if (process.env.SIGNALBOX_TEST_REQUIRE_ALL || has(name)) return undefined;
    return `needs ${name}: .ci/run installs it`;
  },

  run(args: readonly string[], options: SpawnSyncOptions = {}) {
    return python.tool("python", args, options);
  },

  /** A program that a package brought. */
  tool(name: string, args: readonly string[], options: SpawnSyncOptions = {}) {
    const { status, stdout, stderr, error } = spawnSync(join(VENV, "bin", name), args, {
      ...options,
      encoding: "utf8",
    });
    if (error) throw error;
    return { status, stdout, stderr };
  },
};

/** As a program, or as a module. */
function has(name: string): boolean {
  if (existsSync(join(VENV, "bin", name))) return true;
  const libraries = join(VENV, "lib");
  return (
    existsSync(libraries) &&
    readdirSync(libraries).some((version) => existsSync(join(libraries, version, "site-packages", name)))
  );
}
