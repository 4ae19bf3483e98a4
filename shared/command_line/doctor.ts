import { z } from "zod";
import { field } from "../settings/field.ts";
import { type Inspected, inspect } from "../settings/load.ts";
import { choice, flag } from "../settings/texts.ts";
import { type Command, type CommandIo, openCommand } from "./command.ts";
import { CommandError } from "./command_error.ts";
import { type Examination, tellFindings } from "./doctor_report.ts";
import type { Finding } from "./findings.ts";
import { sourcesOf } from "./run.ts";

/** Settings of `signalbox doctor` itself, beside those of the command that it looks at. */
const doctorSettings = z.object({
  json: field(flag, {
    group: "Output",
    flagOnly: true,
    default: "false",
    says: "Print JSON: findings with role, check, level, found and hint, and how many are problems and warnings",
  }),
  color: field(choice(["auto", "always", "never"]), {
    group: "Output",
    flagOnly: true,
    default: "auto",
    says: "Colours; auto is on a terminal, unless NO_COLOR is set",
  }),
});

/** What a command finds of its own settings and surroundings. */
export type Examine = (inspected: Inspected<never>) => AsyncIterable<Finding>;

/** A command that can be looked at. */
export interface Patient {
  readonly command: Command;
  examine(): Promise<Examine>;
}

/** `signalbox doctor`: of one command, with its flags; of all, with what variables say. */
export function doctorCommand(patients: readonly Patient[]): Command {
  return {
    name: "doctor",
    says: "Check settings, port, backend, relay, clock and limits",
    roles: { names: patients.map(({ command }) => command.name), optional: true },
    open: async (role) => {
      const patient = patients.find(({ command }) => command.name === role);
      return openCommand({
        schema: doctorSettings,
        example: "signalbox doctor worker --config worker.toml",
        subject: (await patient?.command.open()) ?? NOBODY,
        run: async (settings, io, { inspected }) => {
          const examinations = patient
            ? [{ role: role!, findings: (await patient.examine())(inspected as Inspected<never>) }]
            : await examineAll(patients, inspected!, io);
          return tellFindings(examinations, settings, io);
        },
      });
    },
  };
}

/** For when no role is told: a file's settings are one command's, and it is not known whose. */
const NOBODY = openCommand({ schema: z.object({}), example: "", run: async () => 0 });

async function examineAll(
  patients: readonly Patient[],
  nobody: Inspected<unknown>,
  { env }: CommandIo,
): Promise<Examination[]> {
  if (nobody.mistakes) {
    const commands = patients.map(({ command }) => `signalbox doctor ${command.name}`);
    throw new CommandError(
      "Cannot use a settings file: wanted to know whose it is, found no command",
      `write ${commands.join(" or ")}`,
    );
  }
  return Promise.all(
    patients.map(async ({ command, examine }) => {
      const opened = await command.open();
      const inspected = inspect(opened.schema, sourcesOf({ flags: new Map(), env }, opened));
      return { role: command.name, findings: (await examine())(inspected as Inspected<never>) };
    }),
  );
}
