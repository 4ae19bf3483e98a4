import { environmentSample } from "../shared/service/environment_sample.ts";
import { LABELS } from "../shared/service/launchd_plist.ts";
import { definitionOf } from "../shared/service/places.ts";
import { ROLES, type Service } from "../shared/service/service.ts";
import { UNIT_FILES } from "../shared/service/systemd_unit.ts";

const PROGRAM = ["/usr/local/bin/signalbox"];
const HOME = "/YOUR_HOME";

/** Services as files for who installs them by hand, by their paths in the project. */
export function serviceFiles(): [path: string, text: string][] {
  return ROLES.flatMap((role) => {
    const machine: Service = { role, scope: "system", program: PROGRAM };
    const user: Service = { ...machine, scope: "user" };
    const settings = role === "serve" ? "serve.env" : "worker.env";
    return [
      [`deploy/systemd/${UNIT_FILES[role]}`, definitionOf("systemd", machine, () => "")],
      [`deploy/systemd/${settings}`, environmentSample(role, "/etc/signalbox")],
      [`deploy/launchd/${LABELS[role]}.plist`, definitionOf("launchd", user, () => HOME)],
    ];
  });
}
