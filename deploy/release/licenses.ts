import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { installed, type Package, packagesOf } from "./packages.ts";

const ROOT = join(import.meta.dirname, "../..");

/** How packages call the file, with any ending: LICENSE, licence, COPYING, NOTICE. */
const LICENSE_FILE = /^(licen[cs]e|copying|notice)/i;

/** Bun's own package has no such file; its manual, which comes with its types, has a page. */
const OF_BUN = "docs/project/license.mdx";

/** In place of the texts that the page only names: where they are, and what the LGPL wants of a program. */
const ABOUT_BUN = `Bun, with its JavaScript engine and its libraries, is the larger part of the executable, as it is
published, unchanged. What follows is the page on licenses of its manual. It names those of the libraries and where
their texts are.

Signalbox is free software. To have it with another Bun, such as one with a JavaScriptCore of your own, build it from
its source with that Bun's executable: bun build --compile --compile-executable-path=BUN main.ts`;

/**
 * The licenses of everything in an executable with these source files in it: what has to go with each copy of it.
 *
 * @throws Error when a package has no license's text
 */
export function licenses(inputs: readonly string[]): string {
  const parts = [
    part("Signalbox", textOf(".")),
    ...packagesOf(inputs).map((entry) => part(titleOf(entry), textOf(entry.path))),
    part(titleOf(installed("node_modules/bun")), `${ABOUT_BUN}\n\n${pageOfBun()}`),
  ];
  return parts.join("\n");
}

function titleOf({ name, version }: Package): string {
  return `${name} ${version}`;
}

function part(title: string, text: string): string {
  return `${"=".repeat(title.length)}\n${title}\n${"=".repeat(title.length)}\n\n${text.trimEnd()}\n`;
}

function textOf(path: string): string {
  const folder = join(ROOT, path);
  const files = readdirSync(folder).filter((name) => LICENSE_FILE.test(name));
  if (files.length === 0) throw new Error(`Cannot list licenses: ${path} has no file with one`);
  return files.map((name) => readFileSync(join(folder, name), "utf8").trimEnd()).join("\n\n");
}

function pageOfBun(): string {
  const page = readFileSync(join(ROOT, "node_modules/bun-types", OF_BUN), "utf8");
  // Between the first two lines of dashes stands what the manual's program wants of it.
  return page.replace(/^---\n[\s\S]*?\n---\n/, "").trim();
}
