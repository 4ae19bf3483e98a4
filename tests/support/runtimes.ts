import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

const MODULES = join(import.meta.dirname, "../../node_modules");

/**
 * The executables that the packages brought, not the scripts in `.bin`: Deno's is a script for Node, which a
 * machine with Bun alone does not have.
 */
export const BUN = firstExisting([join(MODULES, "bun/bin/bun.exe"), join(MODULES, ".bin/bun")]);
export const DENO = firstExisting([...platformPackages("@deno", "deno"), join(MODULES, ".bin/deno")]);

/** What `npm run build` makes, or another one to be tested: a file of a release. */
export const BINARY = process.env.SIGNALBOX_TEST_BINARY ?? join(MODULES, "../dist/signalbox");

/** A package for another machine is not installed, so what is there fits. */
function platformPackages(scope: string, file: string): string[] {
  const folder = join(MODULES, scope);
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((name) => [join(folder, name, file), join(folder, name, `${file}.exe`)]);
}

function firstExisting(paths: string[]): string {
  return paths.find((path) => existsSync(path)) ?? paths.at(-1)!;
}
