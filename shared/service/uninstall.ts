import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { checkUntouched, remove, stateOf } from "./files.ts";
import { checkUser, type InstallOptions, type Machine } from "./install.ts";
import { tryAll } from "./manager_commands.ts";
import { managerOf, placesOf } from "./places.ts";
import type { Role } from "./service.ts";

/**
 * Stop a service and remove what `install` wrote. Settings that were changed stay, and so do secrets.
 *
 * @throws CommandError for a definition that somebody changed, before anything is done, unless `force`
 */
export function uninstall(
  options: Pick<InstallOptions, "role" | "scope" | "root" | "force">,
  machine: Machine,
): void {
  const { role, root, force } = options;
  const manager = managerOf(machine.platform);
  const places = placesOf(manager, { ...options, workerName: "", env: machine.env, uid: machine.uid ?? 0 });
  const isLive = root === "/";
  checkUser("uninstall", options, machine);
  checkUntouched(places.definition, "remove", force);
  if (stateOf(places.definition) === "absent") return machine.say(remove(places.definition));
  if (isLive) tryAll(places.stop, machine);
  machine.say(remove(places.definition));
  if (isLive) tryAll(places.load, machine);
  for (const path of settingsFiles(role, places.folder))
    machine.say(stateOf(path) === "untouched" ? remove(path) : `left ${path}: it is yours`);
  machine.say(`left the secrets in ${places.folder}`);
}

function settingsFiles(role: Role, folder: string): string[] {
  if (!existsSync(folder)) return [];
  const pattern = role === "serve" ? /^serve\.env$/ : /^worker(-.+)?\.env$/;
  return readdirSync(folder)
    .filter((name) => pattern.test(name))
    .sort()
    .map((name) => join(folder, name));
}
