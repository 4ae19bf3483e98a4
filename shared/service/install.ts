import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { join, relative } from "node:path";
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
 * and secrets that are there stay as they are. Gives what was done, and what is to do, a line each.
 *
 * @throws CommandError before anything is written where it must not be, and afterwards when the manager refuses
 */
export function install(options: InstallOptions, machine: Machine): string[] {
  const { role, scope, root, start, force } = options;
  const manager = managerOf(machine.platform);
  const places = placesOf(manager, { ...options, env: machine.env, uid: machine.uid ?? 0 });
  const isLive = root === "/";
  checkUser("install", options, machine);
  if (scope === "system") checkVisible(options.program);
  checkUntouched(places.definition, "overwrite", force);
  const settings = join(places.settings, settingsFile(options));
  const definition = definitionOf(manager, options, () => homeIn(machine.env));
  const done = [
    put(places.definition, definition),
    putOnce(settings, environmentSample(role, join("/", relative(root, places.settings))), 0o600),
    ...secretsOf(role, places.settings),
  ];
  if (!isLive) return done;
  const hint = "the files are written: when that is mended, run it again";
  const loaded = runAll(places.load, machine.run, hint);
  const commands = places.start.map((command) => command.join(" ")).join(" && ");
  const next = start
    ? runAll(places.start, machine.run, `${hint}, or look into ${places.log}`)
    : [`next: look through ${settings}, then ${commands}`];
  return [...done, ...loaded, ...next, `its log: ${places.log}`];
}

/** @throws CommandError for who may not change the machine's services, or has no session of an own */
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

function settingsFile({ role, workerName }: InstallOptions): string {
  return role === "serve" ? "serve.env" : `worker-${workerName}.env`;
}

function putOnce(path: string, text: string, mode: number): string {
  const state = stateOf(path);
  return state === "changed" ? `left ${path} as it is: it is yours` : put(path, text, mode);
}

function secretsOf(role: Role, folder: string): string[] {
  return SECRETS[role].map((name) => {
    const path = join(folder, name);
    if (existsSync(path)) return `left ${path} as it is`;
    if (role === "worker") return `next: put the relay's ${name} into ${path}, readable for nobody else`;
    put(path, `${randomBytes(SECRET_BYTES).toString("hex")}\n`, 0o600);
    return `wrote ${path}: a new secret`;
  });
}
