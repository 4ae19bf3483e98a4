import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { CommandError } from "../command_line/command_error.ts";
import { readText, tellingWhy } from "../command_line/read_text.ts";
import { isAsSealed } from "./seal.ts";

/** What is where a file of ours belongs: nothing, what we wrote, or what somebody made of it. */
export type FileState = "absent" | "untouched" | "changed";

export function stateOf(path: string): FileState {
  if (!existsSync(path)) return "absent";
  return isAsSealed(readText(path)) ? "untouched" : "changed";
}

/** @throws CommandError for a file that somebody changed, unless `force` says that its changes may go */
export function checkUntouched(path: string, attempt: string, force: boolean): void {
  if (force || stateOf(path) !== "changed") return;
  throw new CommandError(
    `Cannot ${attempt} ${path}: wanted it as signalbox service wrote it, found it changed`,
    "keep the changes in a drop-in or elsewhere, then give --force, which keeps a copy with .old behind its name",
  );
}

/** Write over what is there, keeping a copy of what somebody changed. Gives what was done. */
export function put(path: string, text: string, mode = 0o644): string {
  const state = stateOf(path);
  if (state === "untouched" && readText(path) === text) return `left ${path} as it is: it is up to date`;
  if (state === "changed") tellingWhy(`Cannot copy ${path}`, () => copyFileSync(path, `${path}.old`));
  tellingWhy(`Cannot write ${path}`, () => {
    mkdirSync(dirname(path), { recursive: true });
    // Never half a file where somebody may read it, and no moment at which a secret has another mode.
    const fresh = `${path}.new`;
    rmSync(fresh, { force: true });
    writeFileSync(fresh, text, { mode, flag: "wx" });
    renameSync(fresh, path);
  });
  const did = { absent: "wrote", untouched: "updated", changed: "overwrote" }[state];
  return `${did} ${path}${state === "changed" ? `; what was there is ${path}.old` : ""}`;
}

/** Remove it, keeping a copy of what somebody changed. Gives what was done. */
export function remove(path: string): string {
  const state = stateOf(path);
  return tellingWhy(`Cannot remove ${path}`, () => {
    if (state === "absent") return `found no ${path}`;
    if (state === "untouched") rmSync(path);
    else renameSync(path, `${path}.old`);
    return `removed ${path}${state === "changed" ? `; what was there is ${path}.old` : ""}`;
  });
}
