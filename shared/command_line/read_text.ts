import type { Buffer } from "node:buffer";
import { readFileSync, writeFileSync } from "node:fs";
import { CommandError } from "./command_error.ts";

const REASONS: Readonly<Record<string, readonly [what: string, hint: string]>> = {
  ENOENT: ["there is no such file", "check the path; it starts from the current folder"],
  EACCES: ["permission denied", "check the owner and the mode of the file"],
  EPERM: ["permission denied", "check the owner and the mode of the file"],
  EISDIR: ["it is a folder", "name the file in it"],
};

const WRITING: typeof REASONS = {
  ...REASONS,
  ENOENT: ["there is no such folder", "make it first"],
  EEXIST: ["there is such a file", "name another one, or move it away first"],
};

/** A whole text file that someone named. @throws CommandError saying why it cannot be read */
export function readText(path: string): string {
  return readBytes(path).toString("utf8");
}

/** A whole file that someone named. @throws CommandError saying why it cannot be read */
export function readBytes(path: string): Buffer {
  return tellingWhy(`Cannot read ${path}`, () => readFileSync(path));
}

/** Write a text file that someone named, over what was there. @throws CommandError saying why it cannot be written */
export function writeText(path: string, text: string): void {
  tellingWhy(`Cannot write ${path}`, () => writeFileSync(path, text), WRITING);
}

/** Write a text file that someone named, where there is none yet. @throws CommandError saying why it cannot be written */
export function writeNewText(path: string, text: string): void {
  tellingWhy(`Cannot write ${path}`, () => writeFileSync(path, text, { flag: "wx" }), WRITING);
}

/** Do something with files that someone named. @throws CommandError beginning with `attempt`, saying why not */
export function tellingWhy<T>(attempt: string, act: () => T, reasons = REASONS): T {
  try {
    return act();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // Deno, started without a permission, has no code for that, and says which flag it wants.
    const [what, hint] = reasons[code ?? ""] ?? [code ? `the system says ${code}` : message, undefined];
    throw new CommandError(`${attempt}: ${what}`, hint, { cause: error });
  }
}
