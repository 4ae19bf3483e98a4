import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

const MODULES = join(import.meta.dirname, "../../node_modules");

/**
 * The executables that the packages brought, not the scripts in `.bin`: Deno's is a script for Node, which a
 * machine with Bun alone does not have.
 */
export const BUN = firstExisting([join(MODULES, "bun/bin/bun.exe"), join(MODULES, ".bin/bun")]);
export const DENO = firstExisting([...platformPackages("@deno", "deno"), join(MODULES, ".bin/deno")]);

/** A package for another machine is not installed, so what is there fits. */
function platformPackages(scope: string, file: string): string[] {
  const folder = join(MODULES, scope);
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((name) => [join(folder, name, file), join(folder, name, `${file}.exe`)]);
}

function firstExisting(paths: string[]): string {
  return paths.find((path) => existsSync(path)) ?? paths.at(-1)!;
}
