import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { CommandError } from "../command_line/command_error.ts";
import { environmentSample } from "./environment_sample.ts";
import { checkUntouched, put, stateOf } from "./files.ts";
import { type RunCommand, runAll } from "./manager_commands.ts";
import { definitionOf, homeIn, managerOf, type PlaceOptions, placesOf } from "./places.ts";
import { type Role, SECRETS } from "./service.ts";

export interface Machine {
  readonly platform: NodeJS.Platform;
  /** Undefined where there are no users. */
  readonly uid: number | undefined;
  readonly env: PlaceOptions["env"];
  readonly run: RunCommand;
  /** Told of each thing that was done, and of what is to do. */
  say(line: string): void;
}

export interface InstallOptions extends Omit<PlaceOptions, "env" | "uid"> {
  readonly program: readonly string[];
  readonly start: boolean;
  readonly force: boolean;
}

/** As good as `openssl rand -hex 32`. */
const SECRET_BYTES = 32;

/**
 * Write what a service needs: its definition, settings to begin with, and secrets that the relay may make up. Settings
 * and secrets that are there stay as they are.
 *
 * @throws CommandError before anything is written where it must not be, and afterwards when the manager refuses
 */
export function install(options: InstallOptions, machine: Machine): void {
  const { role, scope, root, start, force } = options;
  const manager = managerOf(machine.platform);
  const places = placesOf(manager, { ...options, env: machine.env, uid: machine.uid ?? 0 });
  checkUser("install", options, machine);
  if (scope === "system") checkVisible(options.program);
  checkUntouched(places.definition, "overwrite", force);
  const settings = join(places.folder, places.settings);
  const definition = definitionOf(manager, options, () => homeIn(machine.env));
  machine.say(put(places.definition, definition));
  machine.say(putOnce(settings, environmentSample(role, join("/", relative(root, places.folder))), 0o600));
  for (const name of SECRETS[role]) machine.say(putSecret(role, join(places.folder, name)));
  if (root !== "/") return;
  const hint = "the files are written: when that is mended, run it again";
  runAll(places.load, machine, hint);
  const commands = places.start.map((command) => command.join(" ")).join(" && ");
  if (start) runAll(places.start, machine, `${hint}, or look into ${places.log}`);
  else machine.say(`next: look through ${settings}, then ${commands}`);
  machine.say(`its log: ${places.log}`);
}

/** @throws CommandError for who may not change the machine's services */
export function checkUser(
  attempt: string,
  { scope, root }: Pick<InstallOptions, "scope" | "root">,
  { uid }: Machine,
): void {
  if (root !== "/" || scope === "user" || uid === 0) return;
  throw new CommandError(
    `Cannot ${attempt} a service of the machine: wanted root, found user ${uid}`,
    "run it with sudo, or give --user for a service of your own",
  );
}

/** Folders that a service of the machine sees empty: `ProtectHome=` and `PrivateTmp=`. */
const HIDDEN = ["/home", "/root", "/run/user", "/tmp", "/var/tmp"];

function checkVisible(program: readonly string[]): void {
  for (const path of program.filter((word) => word.startsWith("/"))) {
    const folder = HIDDEN.find((hidden) => !relative(hidden, path).startsWith(".."));
    if (!folder) continue;
    throw new CommandError(
      `Cannot install ${path} as a service of the machine: it sees nothing of ${folder}`,
      "copy it to /usr/local/bin/signalbox and run that, or give --user",
    );
  }
}

function putOnce(path: string, text: string, mode: number): string {
  const state = stateOf(path);
  return state === "changed" ? `left ${path} as it is: it is yours` : put(path, text, mode);
}

function putSecret(role: Role, path: string): string {
  if (existsSync(path)) return `left ${path} as it is`;
  if (role === "worker")
    return `next: put the relay's ${basename(path)} into ${path}, readable for nobody else`;
  put(path, `${randomBytes(SECRET_BYTES).toString("hex")}\n`, 0o600);
  return `wrote ${path}: a new secret`;
}
