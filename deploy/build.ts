/**
 * Compiles Signalbox into one executable: `npm run build` gives `dist/signalbox`, and the licenses of what is in it.
 * Two builds of the same commit by the same Bun are the same bytes.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import process from "node:process";
import { commitOf } from "../shared/commit.ts";
import { licenses } from "./release/licenses.ts";

export const ROOT = join(import.meta.dirname, "..");

/** https://bun.com/docs/bundler/executables; what was measured of them stands in `ARCHITECTURE.md`. */
const FLAGS = [
  "--compile",
  "--minify",
  ...["--bytecode", "--format=esm"],
  // Embedded and compressed: a stack that somebody reports names our files and lines.
  "--sourcemap=linked",
  // An import that is left to run time would be looked for in the folder that the program is started in,
  "--reject-unresolved",
  // and that folder has no say in what the program does.
  ...["dotenv", "bunfig", "tsconfig", "package-json"].map((file) => `--no-compile-autoload-${file}`),
];

export interface Compilation {
  /** Where the executable goes. */
  readonly outfile: string;
  /** Another system than this one: Bun's name of it, and Bun's executable for it. */
  readonly target?: { readonly name: string; readonly executable: string };
}

/**
 * Compile `main.ts`. A program of that name may run while it is replaced. None of that name is left when this fails.
 *
 * @returns the source files in it, by their paths from the root
 * @throws Error with what Bun says
 */
export function compile({ outfile, target }: Compilation): string[] {
  mkdirSync(dirname(outfile), { recursive: true });
  const scratch = mkdtempSync(join(dirname(outfile), ".build-"));
  // Bun puts the name of the file into the file: the same one always, with the ending that it adds by itself.
  const built = join(scratch, `signalbox${outfile.endsWith(".exe") ? ".exe" : ""}`);
  const metafile = join(scratch, "meta.json");
  const other = target && [`--target=${target.name}`, `--compile-executable-path=${target.executable}`];
  const commit = `--define=SIGNALBOX_COMMIT=${JSON.stringify(commitOf(ROOT) ?? "")}`;
  const command = ["build", "main.ts", ...FLAGS, commit, ...(other ?? [])];
  try {
    run([...command, `--outfile=${built}`, `--metafile=${metafile}`]);
    renameSync(built, outfile);
    return Object.keys((JSON.parse(readFileSync(metafile, "utf8")) as { inputs: object }).inputs);
  } catch (error) {
    rmSync(outfile, { force: true });
    throw error;
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

function run(args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: "utf8" });
  if (status !== 0) throw new Error(`Cannot compile main.ts: ${error?.message ?? stderr}`);
}

if (import.meta.main) {
  const outfile = join(ROOT, "dist", process.platform === "win32" ? "signalbox.exe" : "signalbox");
  writeFileSync(join(ROOT, "dist", "licenses.txt"), licenses(compile({ outfile })));
  console.log(`${relative(process.cwd(), outfile)}: ${Math.round(statSync(outfile).size / 1e6)} MB`);
}
