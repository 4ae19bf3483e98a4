import { resolve } from "node:path";
import process from "node:process";
import type { z } from "zod";
import type { CommandIo } from "../command_line/command.ts";
import { install, type Machine } from "./install.ts";
import { commandRunner } from "./manager_commands.ts";
import { definitionOf, homeIn, managerOf } from "./places.ts";
import { ROLES, type Role, type Service } from "./service.ts";
import type { serviceInstallSettings, servicePrintSettings, serviceUninstallSettings } from "./settings.ts";
import { thisProgram } from "./this_program.ts";
import { uninstall } from "./uninstall.ts";

/** `signalbox service print`: what `install` would write, and nothing else. */
export async function servicePrint(
  role: string | undefined,
  { user, program, manager }: z.output<typeof servicePrintSettings>,
  io: CommandIo,
): Promise<number> {
  const service: Service = { role: roleOf(role), scope: scopeOf(user), program: programOf(program) };
  io.out(definitionOf(manager ?? managerOf(process.platform), service, () => homeIn(io.env)));
  return 0;
}

/** `signalbox service install` */
export async function serviceInstall(
  role: string | undefined,
  { user, program, root, ...settings }: z.output<typeof serviceInstallSettings>,
  io: CommandIo,
): Promise<number> {
  const places = { role: roleOf(role), scope: scopeOf(user), root: resolve(root) };
  install({ ...settings, ...places, program: programOf(program) }, machineOf(io));
  return 0;
}

/** `signalbox service uninstall` */
export async function serviceUninstall(
  role: string | undefined,
  { user, root, force }: z.output<typeof serviceUninstallSettings>,
  io: CommandIo,
): Promise<number> {
  uninstall({ role: roleOf(role), scope: scopeOf(user), root: resolve(root), force }, machineOf(io));
  return 0;
}

/** Without a word it is about the relay. */
const roleOf = (word: string | undefined): Role => ROLES.find((role) => role === word) ?? "serve";

const scopeOf = (user: boolean): Service["scope"] => (user ? "user" : "system");

/** Services start elsewhere than in the current folder. */
const programOf = (program: string | undefined) =>
  program === undefined ? thisProgram() : [resolve(program)];

function machineOf({ env, out }: CommandIo): Machine {
  return {
    platform: process.platform,
    uid: process.getuid?.(),
    env,
    run: commandRunner(env),
    say: (line) => out(`signalbox: ${line}\n`),
  };
}
