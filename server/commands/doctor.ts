import type { Finding } from "../../shared/command_line/findings.ts";
import { clockFinding, openFilesFinding } from "../../shared/command_line/machine_findings.ts";
import { settingsFindings } from "../../shared/command_line/settings_findings.ts";
import type { Inspected } from "../../shared/settings/load.ts";
import type { ServeSettings } from "../settings.ts";
import { doorFindings } from "./door_findings.ts";
import { portFinding } from "./port_finding.ts";
import { tlsFindings } from "./tls_findings.ts";

/** A client holds a socket while it is answered or waits; a thousand are soon there. */
const OPEN_FILES_WANTED = 4096;

/** Would `signalbox serve` run here, and who could reach what? `nowMs`: milliseconds since 1970. */
export async function* examineRelay(
  inspected: Inspected<ServeSettings>,
  nowMs = Date.now(),
): AsyncGenerator<Finding> {
  yield* settingsFindings(inspected);
  if (!inspected.mistakes) {
    const { settings } = inspected.loaded;
    yield await portFinding(settings);
    yield* tlsFindings(settings, nowMs);
    yield* doorFindings(settings);
  }
  yield openFilesFinding(OPEN_FILES_WANTED, "each client and each worker");
  yield clockFinding(nowMs);
}
