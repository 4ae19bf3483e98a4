import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "../..");

/** `name/` for a folder, `*.end` for names that end so, or a name: the forms that `.gitignore` uses here. */
const IGNORED = [".git", ...read(".gitignore").split("\n").filter(Boolean)];

/** Every file that is the project's, by its path from the root, in order. Not asked of git, which may be missing. */
export const PROJECT_FILES: readonly string[] = filesIn("").sort();

/** The text of one of them. */
export function read(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

/** Where it is on this machine. */
export function locate(path: string): string {
  return join(ROOT, path);
}

/** TypeScript files below any of these folders; all of them without one. */
export function sources(...folders: string[]): string[] {
  return PROJECT_FILES.filter(
    (path) =>
      path.endsWith(".ts") &&
      (folders.length === 0 || folders.some((folder) => path.startsWith(`${folder}/`))),
  );
}

function filesIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true })
    .filter(({ name }) => !isIgnored(name))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? filesIn(path) : [path];
    });
}

function isIgnored(name: string): boolean {
  return IGNORED.some((pattern) =>
    pattern.startsWith("*") ? name.endsWith(pattern.slice(1)) : name === pattern.replace(/\/$/, ""),
  );
}
