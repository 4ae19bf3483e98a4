import { spawnSync } from "node:child_process";
import { join } from "node:path";

/** `deploy/build.ts` puts it in: an executable has no repository. Empty when that had none either. */
declare const SIGNALBOX_COMMIT: string;

/** As many digits as git itself shows at first. */
const DIGITS = 7;

/** The commit that this program is of, asking git when it runs from source: `abc1234`, or `abc1234-dirty`. */
export function commit(): string | undefined {
  if (typeof SIGNALBOX_COMMIT === "string") return SIGNALBOX_COMMIT || undefined;
  return commitOf(join(import.meta.dirname, ".."));
}

/**
 * The commit of a working tree; `-dirty` when a file that git knows was changed after it. Undefined for a folder that
 * has no repository of its own, though one above it may have one, and where there is no git.
 */
export function commitOf(folder: string): string | undefined {
  const repository = [`--git-dir=${join(folder, ".git")}`, `--work-tree=${folder}`];
  const question = ["describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"];
  // It may be asked while somebody else's git is at work here.
  const git = spawnSync("git", ["--no-optional-locks", ...repository, ...question], {
    cwd: folder,
    encoding: "utf8",
  });
  const [, digits, dirty = ""] = /^([0-9a-f]{40,})(-dirty)?\n$/.exec(git.stdout ?? "") ?? [];
  return digits && digits.slice(0, DIGITS) + dirty;
}
