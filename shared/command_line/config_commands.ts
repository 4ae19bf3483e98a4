import { z } from "zod";
import { optionalField } from "../settings/field.ts";
import type { Inspected } from "../settings/load.ts";
import { printSettings } from "../settings/print.ts";
import { file } from "../settings/texts.ts";
import { type Command, type CommandIo, type OpenCommand, openCommand } from "./command.ts";
import { configFile } from "./config_file.ts";
import { writeNewText } from "./read_text.ts";
import { EXIT_FAILED, mistakeLines, warningLine } from "./report.ts";
import { whereSet } from "./settings_findings.ts";

/** `signalbox config print|check|init`, about those commands whose settings may stand in a file. */
export function configCommands(subjects: readonly Command[]): Command[] {
  const roles = { names: subjects.map(({ name }) => name) };
  const subjectOf = (role: string | undefined) => subjects.find(({ name }) => name === role)?.open();
  return [
    {
      name: "config print",
      says: "Print every setting and where its value came from",
      roles,
      open: async (role) =>
        about(await subjectOf(role), "signalbox config print serve --config relay.toml", print),
    },
    {
      name: "config check",
      says: "Tell every mistake in a settings file, without a start",
      roles,
      open: async (role) =>
        about(await subjectOf(role), "signalbox config check serve --config relay.toml", check),
    },
    {
      name: "config init",
      says: "Make a settings file that has every setting, to fill in",
      roles,
      open: async (role) => {
        const subject = await subjectOf(role);
        return openCommand({
          schema: configInitSettings,
          example: "signalbox config init serve --output relay.toml",
          run: async ({ output }, io) => init(configFile(role!, subject!.schema), output, io),
        });
      },
    },
  ];
}

const configInitSettings = z.object({
  output: optionalField(file, {
    group: "Output",
    flagOnly: true,
    says: "The file to make, which must not be there yet; standard output if not given",
  }),
});

type Act = (inspected: Inspected<Record<string, unknown>>, io: CommandIo, subject: OpenCommand) => number;

/** A command without settings of its own. Without a role it is only asked for its help. */
function about(subject: OpenCommand | undefined, example: string, act: Act): OpenCommand {
  return openCommand({
    schema: z.object({}),
    example,
    ...(subject && { subject }),
    run: async (_, io, { inspected }) => act(inspected as Parameters<Act>[0], io, subject!),
  });
}

const print: Act = (inspected, io, { schema }) => {
  if (inspected.mistakes) throw inspected.mistakes[0]!;
  for (const text of inspected.loaded.warnings) io.err(warningLine(text));
  io.out(printSettings(schema, inspected.loaded));
  return 0;
};

const check: Act = (inspected, io) => {
  for (const mistake of inspected.mistakes ?? []) io.err(mistakeLines(mistake));
  if (inspected.mistakes) return EXIT_FAILED;
  for (const text of inspected.loaded.warnings) io.err(warningLine(text));
  io.out(`no mistakes: ${whereSet(inspected.loaded)}\n`);
  return 0;
};

function init(text: string, path: string | undefined, io: CommandIo): number {
  if (path === undefined) io.out(text);
  else writeNewText(path, text);
  return 0;
}
