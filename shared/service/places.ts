import { join } from "node:path";
import { CommandError } from "../command_line/command_error.ts";
import { LABELS, launchdPlist } from "./launchd_plist.ts";
import type { Manager, Role, Service } from "./service.ts";
import { systemdUnit, UNIT_FILES } from "./systemd_unit.ts";

/** The files of a service on one machine, and what its manager is told about them. */
export interface Places {
  /** The unit or launch agent. */
  readonly definition: string;
  /** The folder of settings and secrets of all services of this scope. */
  readonly folder: string;
  /** The file of settings in it. */
  readonly settings: string;
  /** Commands that make the manager see a new definition; the service may run or not. */
  readonly load: readonly (readonly string[])[];
  readonly start: readonly (readonly string[])[];
  /** End it for good, also one that does not run. */
  readonly stop: readonly (readonly string[])[];
  /** How its log is read. */
  readonly log: string;
}

export interface PlaceOptions {
  readonly role: Role;
  readonly scope: Service["scope"];
  /** Stands for `/`. */
  readonly root: string;
  readonly workerName: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly uid: number;
}

/** @throws CommandError on systems without either */
export function managerOf(platform: NodeJS.Platform): Manager {
  if (platform === "linux") return "systemd";
  if (platform === "darwin") return "launchd";
  throw new CommandError(
    `Cannot make a service: wanted systemd (Linux) or launchd (macOS), found ${platform}`,
    "there, let the system's own services start signalbox serve or signalbox worker",
  );
}

/** @throws CommandError where the user has no home */
export function placesOf(manager: Manager, options: PlaceOptions): Places {
  return manager === "systemd" ? systemdPlaces(options) : launchdPlaces(options);
}

/** The definition of a service. `home` is needed for launchd only. */
export function definitionOf(manager: Manager, service: Service, home: () => string): string {
  return manager === "systemd" ? systemdUnit(service) : launchdPlist(service, home());
}

/** @throws CommandError where nobody knows it */
export function homeIn({ HOME }: PlaceOptions["env"]): string {
  if (HOME?.startsWith("/")) return HOME;
  throw new CommandError(
    "Cannot find the folder of the user: wanted an absolute path in HOME, found none",
    "set HOME",
  );
}

function systemdPlaces({ role, scope, root, workerName, env }: PlaceOptions): Places {
  const isUser = scope === "user";
  const configuration = isUser ? env.XDG_CONFIG_HOME || join(homeIn(env), ".config") : "/etc";
  const systemctl = (...words: string[]) => ["systemctl", ...(isUser ? ["--user"] : []), ...words];
  const file = UNIT_FILES[role];
  const unit = role === "serve" ? "signalbox" : `signalbox-worker@${workerName}`;
  return {
    definition: join(root, configuration, isUser ? "systemd/user" : "systemd/system", file),
    folder: join(root, configuration, "signalbox"),
    settings: role === "serve" ? "serve.env" : `worker-${workerName}.env`,
    load: [systemctl("daemon-reload")],
    start: [systemctl("enable", unit), systemctl("restart", unit)],
    // All instances of a template.
    stop: [systemctl("stop", file.replace("@.", "@*.")), systemctl("disable", file)],
    log: `journalctl ${isUser ? "--user " : ""}-u ${unit}`,
  };
}

function launchdPlaces({ role, scope, root, env, uid }: PlaceOptions): Places {
  if (scope === "system") {
    throw new CommandError(
      "Cannot make a service of the machine: on macOS there is one of the user only",
      "give --user, without sudo",
    );
  }
  const home = homeIn(env);
  const definition = join(root, home, "Library/LaunchAgents", `${LABELS[role]}.plist`);
  const domain = `gui/${uid}`;
  return {
    definition,
    folder: join(root, home, ".config/signalbox"),
    settings: `${role}.env`,
    load: [],
    start: [["launchctl", "bootstrap", domain, definition]],
    stop: [["launchctl", "bootout", `${domain}/${LABELS[role]}`]],
    log: `tail -F ~/Library/Logs/signalbox-${role}.log`,
  };
}
