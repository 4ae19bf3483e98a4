import { z } from "zod";
import { field, kindOf, Misread, optionalField } from "../settings/field.ts";
import { choice, file, flag } from "../settings/texts.ts";
import { MANAGERS } from "./service.ts";

/** What `systemctl` takes behind the `@` without escaping. */
const instance = kindOf<string>({
  placeholder: "NAME",
  hint: "write letters, digits and - _ . only",
  read(raw) {
    if (typeof raw === "string" && /^\w[\w.-]{0,63}$/.test(raw)) return raw;
    throw new Misread("cannot be the name of a service");
  },
  print: (value) => value,
});

const group = { group: "Service", flagOnly: true };

const user = field(flag, {
  ...group,
  default: "false",
  says: "For the user who calls, in that user's session; otherwise for the machine, which takes root",
});
const program = optionalField(file, {
  ...group,
  says: "The executable that the service runs; otherwise the program that is running now",
});
const force = field(flag, {
  ...group,
  default: "false",
  says: "Also when somebody has changed the service's file: what was there is kept beside it, with .old behind its name",
});
const root = field(file, {
  ...group,
  default: "/",
  says: "Folder that stands for /, such as an image of a machine: nothing is loaded, started or stopped",
});

/** Settings of `signalbox service print`. */
export const servicePrintSettings = z.object({
  user,
  program,
  manager: optionalField(choice(MANAGERS), {
    ...group,
    says: "What the service is for; otherwise what this machine has",
  }),
});

/** Settings of `signalbox service install`. */
export const serviceInstallSettings = z.object({
  user,
  program,
  workerName: field(instance, {
    ...group,
    default: "worker",
    says: "Which worker of this machine: systemd runs several, each with settings of its own",
  }),
  start: field(flag, {
    ...group,
    default: "false",
    says: "Start it now, and with the machine or session from now on",
  }),
  force,
  root,
});

/** Settings of `signalbox service uninstall`. */
export const serviceUninstallSettings = z.object({ user, force, root });
