import { commit } from "./commit.ts";
import { runtime } from "./runtime/current.ts";
import { version } from "./version.ts";

/** What `--version` tells: `0.1.0 (commit abc1234, bun 1.4.5)`, without a commit where none is known. */
export function versionLine(): string {
  const known = commit();
  const from = known === undefined ? "" : `commit ${known}, `;
  return `${version} (${from}${runtime.name} ${runtime.version})`;
}
