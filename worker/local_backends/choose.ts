import type { CommandIo } from "../../shared/command_line/command.ts";
import { CommandError } from "../../shared/command_line/command_error.ts";
import { log } from "../../shared/log.ts";
import { within } from "../../shared/within.ts";
import { RETRY_INTERVAL_MS } from "../models.ts";
import { type LocalBackend, type LookOptions, lookAt, type Sighting } from "./look.ts";
import type { UsualPort } from "./usual_ports.ts";

export interface ChooseOptions extends LookOptions {
  ports: readonly UsualPort[];
  io: Pick<CommandIo, "ask">;
  /** Resolves when it is time to stop. */
  stop: Promise<unknown>;
}

/**
 * The URL of the backend that listens on one of the ports of this machine: waits until there is one, and asks which
 * one when there are several. Undefined: it was told to stop before that.
 *
 * @throws CommandError when there are several and nobody who could be asked
 */
export async function chooseBackend(options: ChooseOptions): Promise<string | undefined> {
  for (let looks = 0; ; looks++) {
    const seen = await lookAt(
      options.ports.map(({ port }) => port),
      options,
    );
    const found = seen.filter((sighting) => sighting.what === "backend");
    if (found.length > 0) return pick(found, options);
    if (looks === 0) reportNone(seen, options.ports);
    if (await within(options.clock, RETRY_INTERVAL_MS, options.stop)) return undefined;
  }
}

async function pick(found: readonly LocalBackend[], options: ChooseOptions): Promise<string | undefined> {
  const chosen = found.length === 1 ? found[0] : await askFor(found, options);
  if (!chosen) return undefined;
  log.info("Found a backend", { kind: chosen.kind, backend: chosen.url, models: chosen.models });
  return chosen.url;
}

async function askFor(
  found: readonly LocalBackend[],
  { io, stop }: ChooseOptions,
): Promise<LocalBackend | undefined> {
  if (!io.ask) throw severalFound(found);
  const lines = found.map((backend, at) => `  ${at + 1}  ${inWords(backend)}\n`);
  let question = `Several backends answer on this machine:\n${lines.join("")}`;
  const stopped = stop.then(() => STOPPED);
  for (;;) {
    question += `Which one is to be served, 1 to ${found.length}? `;
    const answer = await Promise.race([io.ask(question), stopped]);
    if (answer === STOPPED) return undefined;
    if (answer === undefined) throw severalFound(found);
    const chosen = found[Number(answer) - 1];
    if (chosen) return chosen;
    question = "";
  }
}

const STOPPED = Symbol("stopped");

function severalFound(found: readonly LocalBackend[]): CommandError {
  return new CommandError(
    `Cannot choose a backend: wanted one on the usual ports, found ${found.length}: ${found.map(inWords).join("; ")}`,
    `name one: --backend-url ${found[0]!.url}, or BACKEND_URL in the environment, or backend_url in a --config file`,
  );
}

/** More names are no help in telling backends apart. */
const MODELS_SHOWN = 3;

function inWords({ kind, url, models }: LocalBackend): string {
  if (!models) return `${kind} at ${url}, which asks for a key`;
  const more = models.length > MODELS_SHOWN ? ` and ${models.length - MODELS_SHOWN} more` : "";
  const names = models.slice(0, MODELS_SHOWN).join(", ") + more;
  return `${kind} at ${url} with ${names || "no models"}`;
}

/** Once: under systemd a worker may start long before its backend. */
function reportNone(seen: readonly Sighting[], ports: readonly UsualPort[]): void {
  const looked = ports.map(({ port, server }) => `${port} (${server})`).join(", ");
  log.warn("No backend found on this machine: looking again until one answers; --backend-url names another", {
    ports: looked,
  });
  for (const { what, url } of seen) {
    if (what !== "other") continue;
    log.warn("What answers there lists no models: --backend-url takes it all the same", { url });
  }
}
