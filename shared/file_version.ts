import { statSync } from "node:fs";

/** Changes when the file does; one that was swapped within the clock's grain has another inode. */
export function fileVersion(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat ? `${stat.mtimeMs} ${stat.size} ${stat.ino}` : "gone";
}
