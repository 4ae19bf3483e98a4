import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { checkUntouched, remove, stateOf } from "./files.ts";
import { checkUser, type InstallOptions, type Machine } from "./install.ts";
import { managerOf, placesOf } from "./places.ts";
import type { Role } from "./service.ts";

/**
 * Stop a service and remove what `install` wrote. Settings that were changed stay, and so do secrets. Gives what was
 * done, a line each.
 *
 * @throws CommandError for a definition that somebody changed, before anything is done, unless `force`
 */
export function uninstall(
  options: Pick<InstallOptions, "role" | "scope" | "root" | "force">,
  machine: Machine,
): string[] {
  const { role, root, force } = options;
  const manager = managerOf(machine.platform);
  const places = placesOf(manager, { ...options, workerName: "", env: machine.env, uid: machine.uid ?? 0 });
  const isLive = root === "/";
  checkUser("uninstall", options, machine);
  checkUntouched(places.definition, "remove", force);
  if (stateOf(places.definition) === "absent") return [remove(places.definition)];
  const tell = (commands: readonly (readonly string[])[]) =>
    isLive ? commands.map((command) => told(command, machine)) : [];
  return [
    ...tell(places.stop),
    remove(places.definition),
    ...tell(places.load),
    ...settingsFiles(role, places.settings).map((path) =>
      stateOf(path) === "untouched" ? remove(path) : `left ${path}: it is yours`,
    ),
    `left the secrets in ${places.settings}`,
  ];
}

/** What does not run cannot be stopped: no reason to keep its files. */
function told(command: readonly string[], { run }: Machine): string {
  const complaint = run(command);
  const text = command.join(" ");
  return complaint === undefined ? `ran ${text}` : `ran ${text}, which says: ${complaint}`;
}

function settingsFiles(role: Role, folder: string): string[] {
  if (!existsSync(folder)) return [];
  const pattern = role === "serve" ? /^serve\.env$/ : /^worker-.+\.env$/;
  return readdirSync(folder)
    .filter((name) => pattern.test(name))
    .sort()
    .map((name) => join(folder, name));
}
