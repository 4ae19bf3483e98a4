import { statSync } from "node:fs";
import { quote } from "../printable.ts";
import { describe, type SettingsSchema } from "../settings/describe.ts";
import { inspect, type LoadOptions, load } from "../settings/load.ts";
import { printSettings } from "../settings/print.ts";
import type { Command, CommandIo, OpenCommand, Operands, Roles } from "./command.ts";
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
  const role = command.roles?.names.find((name) => name === args[0]);
  const opened = await command.open(role);
  const { name } = program;
  if (args.some(isHelp)) return printed(io, commandHelp({ program: name, role, ...command, ...opened }));
  if (command.roles && !role) checkRole(command.name, command.roles, args[0]);
  const { values: flags, rest } = parseFlags(role ? args.slice(1) : args, flagsFor(opened));
  checkOperands(command.name, opened.operands, rest);
  const { subject = opened } = opened;
  for (const [flag, instead] of Object.entries(subject.retired ?? {})) {
    if (flags.has(flag)) io.err(warningLine(`--${flag} has no effect: ${instead}`, name));
  }
  const sources = sourcesOf({ flags, env: io.env }, subject);
  const printing = flags.get("print-settings")?.[0] === "true";
  if (opened.subject && !printing) {
    const own = load(opened.schema, { ...sources, flags: withoutConfig(flags), env: {} });
    return opened.run(own.settings, io, { operands: rest, inspected: inspect(subject.schema, sources) });
  }
  const loaded = load(subject.schema, sources);
  for (const warning of loaded.warnings) io.err(warningLine(warning, name));
  if (printing) return printed(io, printSettings(subject.schema, loaded));
  return opened.run(loaded.settings, io, { operands: rest });
}

/** What the settings of a command are read from. */
export function sourcesOf(
  { flags, env }: Pick<LoadOptions, "flags" | "env">,
  { modelRelayFile = false }: Pick<OpenCommand, "modelRelayFile">,
): LoadOptions {
  const isFile = (path: string) => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
  return { flags, env, readText, isFile, modelRelayFile };
}

/** The file that `--config` names holds the settings of the subject. */
function withoutConfig(flags: LoadOptions["flags"]): LoadOptions["flags"] {
  return new Map([...flags].filter(([name]) => name !== "config"));
}

function checkRole(command: string, { names, optional = false }: Roles, found: string | undefined): void {
  if (optional && (found === undefined || found.startsWith("-"))) return;
  const given = found === undefined ? "nothing" : quote(found);
  const meant = nearest(found ?? "", names);
  throw new CommandError(
    `Cannot run ${command}: wanted ${names.join(" or ")} behind it, found ${given}`,
    meant
      ? `did you mean ${command} ${meant}?`
      : `write ${names.map((name) => `${command} ${name}`).join(" or ")}`,
  );
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

interface Flagged {
  schema: SettingsSchema;
  retired?: object;
  subject?: Flagged;
}

/** Flags of a command: those of its settings, and those that every command has. */
export function flagsFor({ schema, subject, retired = {} }: Flagged): FlagSpec[] {
  const settings = [...describe(schema), ...(subject ? describe(subject.schema) : [])];
  return [
    ...settings.flatMap(({ key, kind }) => [
      { name: key, placeholder: kind.placeholder, several: kind.several !== undefined },
      ...(kind.secret ? [{ name: `${key}-file`, placeholder: "FILE" }] : []),
    ]),
    ...Object.keys(subject?.retired ?? retired).map((name) => ({ name, placeholder: "VALUE" })),
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
    const meant = nearest(
      args[1] ?? "",
      group.map((command) => command.name.split(" ")[1]!),
    );
    return new CommandError(
      `Cannot run ${args[0]}: wanted one of its commands, ${found}`,
      meant ? `did you mean ${name} ${args[0]} ${meant}?` : `there is ${names}`,
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
