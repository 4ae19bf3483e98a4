import { statSync } from "node:fs";
import { describe, type SettingsSchema } from "../settings/describe.ts";
import { quote } from "../settings/field.ts";
import { load } from "../settings/load.ts";
import { printSettings } from "../settings/print.ts";
import type { Command, CommandIo, Operands } from "./command.ts";
import { CommandError } from "./command_error.ts";
import { commandHelp, programHelp } from "./help.ts";
import { nearest } from "./nearest.ts";
import { type FlagSpec, parseFlags } from "./parse_flags.ts";
import { readText } from "./read_text.ts";
import { reportAndExitCode, warningLine } from "./report.ts";

export interface Program {
  name: string;
  /** What it is, without a full stop. */
  says: string;
  /** Asked for when somebody wants to see it: it may have to look. */
  version(): Promise<string>;
  commands: readonly Command[];
}

/** Run what `args` (without the program's own name) ask for. Gives the exit code; never throws. */
export async function runProgram(program: Program, args: readonly string[], io: CommandIo): Promise<number> {
  try {
    return await dispatch(program, args, io);
  } catch (error) {
    return reportAndExitCode(error, io.err, program.name);
  }
}

async function dispatch(program: Program, args: readonly string[], io: CommandIo): Promise<number> {
  const [first = "", ...others] = args;
  if (first === "help") return dispatch(program, [...others, "--help"], io);
  if (["--version", "-V"].includes(first)) return printed(io, `${program.name} ${await program.version()}\n`);
  const command = program.commands.find(({ name }) => startsWithWords(args, name));
  if (command) return runCommand({ program, command, args: args.slice(command.name.split(" ").length), io });
  const group = program.commands.filter(({ name }) => name.startsWith(`${first} `));
  if (args.some(isHelp) && (isHelp(first) || group.length > 0)) {
    return printed(io, programHelp(program.name, program.says, group.length > 0 ? group : program.commands));
  }
  throw noSuchCommand(program, args, group);
}

interface Call {
  program: Program;
  command: Command;
  args: readonly string[];
  io: CommandIo;
}

async function runCommand({ program, command, args, io }: Call): Promise<number> {
  const opened = await command.open();
  if (args.some(isHelp)) return printed(io, commandHelp({ program: program.name, ...command, ...opened }));
  const { values: flags, rest } = parseFlags(args, flagsFor(opened));
  checkOperands(command.name, opened.operands, rest);
  const retired = Object.entries(opened.retired ?? {}).filter(([flag]) => flags.has(flag));
  const loaded = load(opened.schema, {
    flags,
    env: io.env,
    readText,
    isFile: (path) => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false,
    modelRelayFile: opened.modelRelayFile ?? false,
  });
  const warnings = [
    ...retired.map(([flag, instead]) => `--${flag} has no effect: ${instead}`),
    ...loaded.warnings,
  ];
  for (const warning of warnings) io.err(warningLine(warning, program.name));
  if (flags.get("print-settings")?.[0] === "true") return printed(io, printSettings(opened.schema, loaded));
  return opened.run(loaded.settings, io, rest);
}

function checkOperands(
  command: string,
  { names, optional = false }: Operands = { names: [] },
  found: readonly string[],
): void {
  if (found.length === names.length || (found.length === 0 && optional)) return;
  const surplus = found[names.length];
  const wanted = names.join(" ");
  if (surplus !== undefined) {
    throw new CommandError(
      `Cannot use ${quote(surplus)}: ${command} takes ${wanted ? `${wanted} and flags` : "flags only"}`,
      "a flag begins with --; --help lists them",
    );
  }
  const given = found.length === 0 ? "nothing" : quote(found.join(" "));
  throw new CommandError(
    `Cannot run ${command}: wanted ${wanted}, found ${given}`,
    `write ${command} ${wanted}, then flags`,
  );
}

/** Flags of a command: those of its settings, and those that every command has. */
export function flagsFor({ schema, retired = {} }: { schema: SettingsSchema; retired?: object }): FlagSpec[] {
  return [
    ...describe(schema).flatMap(({ key, kind }) => [
      { name: key, placeholder: kind.placeholder, several: kind.several !== undefined },
      ...(kind.secret ? [{ name: `${key}-file`, placeholder: "FILE" }] : []),
    ]),
    ...Object.keys(retired).map((name) => ({ name, placeholder: "VALUE" })),
    { name: "config", placeholder: "FILE" },
    { name: "print-settings", placeholder: "" },
    { name: "help", placeholder: "", short: "h" },
  ];
}

function isHelp(arg: string): boolean {
  return arg === "--help" || arg === "-h";
}

function startsWithWords(args: readonly string[], name: string): boolean {
  return name.split(" ").every((word, index) => args[index] === word);
}

function printed(io: CommandIo, text: string): number {
  io.out(text);
  return 0;
}

function noSuchCommand(
  { name, commands }: Program,
  args: readonly string[],
  group: readonly Command[],
): CommandError {
  if (group.length > 0) {
    const found = args[1] === undefined ? "found nothing" : `found ${quote(args[1])}`;
    const names = group.map((command) => `${name} ${command.name}`).join(", ");
    return new CommandError(
      `Cannot run ${args[0]}: wanted one of its commands, ${found}`,
      `there is ${names}`,
    );
  }
  const listing = `\`${name} --help\` lists the commands`;
  if (args[0] === undefined) return new CommandError("Cannot run: wanted a command, found nothing", listing);
  const meant = nearest(
    args[0],
    commands.map((command) => command.name.split(" ")[0]!),
  );
  return new CommandError(
    `Cannot run ${quote(args[0])}: there is no such command`,
    meant ? `did you mean ${meant}?` : listing,
  );
}
