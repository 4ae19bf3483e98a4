import { systemClock } from "../../shared/clock.ts";
import { CommandError } from "../../shared/command_line/command_error.ts";
import { type Finding, ok, problem } from "../../shared/command_line/findings.ts";
import { clockFinding, openFilesFinding } from "../../shared/command_line/machine_findings.ts";
import { readText } from "../../shared/command_line/read_text.ts";
import { settingsFindings } from "../../shared/command_line/settings_findings.ts";
import { runtime } from "../../shared/runtime/current.ts";
import type { Inspected } from "../../shared/settings/load.ts";
import { lookAt } from "../local_backends/look.ts";
import { USUAL_PORTS } from "../local_backends/usual_ports.ts";
import type { WorkerSettings } from "../settings.ts";
import { backendFindings } from "./backend_findings.ts";
import { relayFindings } from "./relay_findings.ts";

/** Beside the requests: links, the log, the backend's idle connections. */
const OTHER_FILES = 64;

/** Would `signalbox worker` serve its backend to its relays from here? Nobody sends it anything meanwhile. */
export async function* examineWorker(inspected: Inspected<WorkerSettings>): AsyncGenerator<Finding> {
  yield* settingsFindings(inspected);
  if (!inspected.mistakes) {
    const { settings } = inspected.loaded;
    const backendCaPem = yield* authorities(settings.backendCaFile);
    yield* backends(settings, backendCaPem);
    const caPem = yield* authorities(settings.caFile);
    for (const relayUrl of settings.proxyUrls) yield* relayFindings({ relayUrl, settings, caPem });
    yield openFilesFinding(settings.maxConcurrency * 2 + OTHER_FILES, "each request");
  }
  yield clockFinding(Date.now());
}

/** What a file of authorities holds; that it cannot be read is a finding, and the checks go on without it. */
function* authorities(path: string | undefined): Generator<Finding, string[] | undefined> {
  try {
    return path === undefined ? undefined : [readText(path)];
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    yield problem("settings", error.message, error.hint);
    return undefined;
  }
}

/** The backend that is named, or those that a worker would find. */
async function* backends(settings: WorkerSettings, caPem: string[] | undefined): AsyncGenerator<Finding> {
  if (settings.backendUrl !== undefined) {
    return yield* backendFindings({ backendUrl: settings.backendUrl, settings, caPem });
  }
  const ports = USUAL_PORTS.map(({ port }) => port);
  const seen = await lookAt(ports, { clock: systemClock, runtime });
  const found = seen.filter((sighting) => sighting.what === "backend");
  const [first, ...more] = found;
  if (!first) {
    yield problem(
      "backend",
      `none on the usual ports of this machine: ${ports.join(", ")}`,
      "start one, or name it: --backend-url http://127.0.0.1:PORT",
    );
  } else if (more.length > 0) {
    const urls = found.map(({ kind, url }) => `${kind} at ${url}`).join(", ");
    yield problem("backend", `several on this machine: ${urls}`, `name one: --backend-url ${first.url}`);
  } else {
    yield ok("backend", `${first.kind} was found`);
    yield* backendFindings({ backendUrl: first.url, settings, caPem });
  }
}
