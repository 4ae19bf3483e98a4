import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * The test files that start a worker: over links of another form the others would only do the same again. A file is
 * one of them when it types the command or names a class that starts a worker, itself or in a helper that it imports.
 */

const ROOT = join(import.meta.dirname, "../..");

/** Where the first of the classes is: who imports it need not use that one. */
const PROGRAM = join(import.meta.dirname, "program.ts");

/** Its worker stands by: what names an endpoint of its own crosses no link. */
const OVERRIDE_STAND = join(import.meta.dirname, "override_stand.ts");

const CLASSES = /\b(?:WorkerProgram|ScriptedWorker|ScriptedRelay)\b/;
const COMMAND = /"worker",/;
const IMPORTED = /^import [^;]*? from "(\.[^"]+)";$/gm;

/** Of these files and folders, by their paths from the root. */
export function testsWithLinks(paths: string[]): string[] {
  return paths.flatMap(testFiles).filter((path) => startsWorker(join(ROOT, path)));
}

function testFiles(path: string): string[] {
  if (!statSync(join(ROOT, path)).isDirectory()) return [path];
  return readdirSync(join(ROOT, path), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".test.ts"))
    .map((name) => join(path, name))
    .sort();
}

function startsWorker(test: string): boolean {
  if (COMMAND.test(readFileSync(test, "utf8"))) return true;
  const seen = new Set([PROGRAM, OVERRIDE_STAND]);
  const next = [test];
  for (let path = next.pop(); path !== undefined; path = next.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    const text = readFileSync(path, "utf8");
    if (CLASSES.test(text)) return true;
    for (const [, imported] of text.matchAll(IMPORTED)) {
      const file = join(dirname(path), imported!);
      // What a test imports of the program itself is not started.
      if (file.startsWith(import.meta.dirname)) next.push(file);
    }
  }
  return false;
}
