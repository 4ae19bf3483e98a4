import { existsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

/** For the `skip` of a test: why it cannot run here; undefined when it can, and where it must (`.ci/run`). */
export function lacks(...tools: string[]): string | undefined {
  if (process.env.SIGNALBOX_TEST_REQUIRE_ALL) return undefined;
  const missing = tools.find((tool) => !isInstalled(tool));
  return missing && `needs ${missing}`;
}

/** Whether there is a program of that name. */
export function isInstalled(tool: string): boolean {
  return pathOfTool(tool) !== undefined;
}

/** Where it is. Servers are seldom in the `PATH` of those who are not root. */
export function pathOfTool(tool: string): string | undefined {
  const folders = [...(process.env.PATH ?? "").split(":"), "/usr/sbin"];
  return folders.map((folder) => join(folder, tool)).find((path) => existsSync(path));
}
