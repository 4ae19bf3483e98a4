import type { Command } from "../shared/command_line/command.ts";
import { ENVIRONMENT, EXIT_CODES } from "../shared/command_line/exit_codes.ts";
import { COMMON_FLAGS, flagsOf, sentenceOf, wordsBehind } from "../shared/command_line/help.ts";
import type { Program } from "../shared/command_line/run.ts";
import { describe, type Setting } from "../shared/settings/describe.ts";
import { version } from "../shared/version.ts";

/**
 * Pages for `man`, in roff: https://man7.org/linux/man-pages/man7/man.7.html. They say what `--help` says, with the
 * variables and keys of each setting, the exit codes and the environment.
 */

/** Every page by its name: `signalbox.1`, `signalbox-serve.1`. */
export async function manPages(program: Program): Promise<Map<string, string>> {
  const pages = new Map([[`${program.name}.1`, programPage(program)]]);
  for (const command of program.commands) {
    pages.set(`${pageName(program, command)}.1`, await commandPage(program, command));
  }
  return pages;
}

function pageName({ name }: Program, command: Command): string {
  return `${name} ${command.name}`.replaceAll(" ", "-");
}

function programPage(program: Program): string {
  const { name, says, commands } = program;
  return page(name, says, [
    ["SYNOPSIS", `${bold(name)} ${italic("COMMAND")} [${italic("FLAG")}]...`],
    [
      "COMMANDS",
      ...commands.map((command) =>
        item(`${bold(command.name)}${plain(wordsBehind(command))}`, plain(`${command.says}.`)),
      ),
    ],
    ["EXIT STATUS", ...exitStatus()],
    ["ENVIRONMENT", ...environment()],
    ["SEE ALSO", seeAlso(commands.map((command) => pageName(program, command)))],
  ]);
}

async function commandPage(program: Program, command: Command): Promise<string> {
  const { roles, says } = command;
  const { schema, example, operands, notes } = await command.open();
  const groups = Map.groupBy(describe(schema), ({ group }) => group);
  const words = plain(wordsBehind({ ...(roles && { roles }), ...(operands && { operands }) }));
  const { subject } = await command.open(roles?.names[0]);
  const sections: Section[] = [
    ["SYNOPSIS", `${bold(`${program.name} ${command.name}`)}${words} [${italic("FLAG")}]...`],
    [
      "DESCRIPTION",
      ...(subject && roles ? [plain(`It takes the flags of ${roles.names.join(" or ")} too.`)] : []),
    ],
    ["EXAMPLES", verbatim(example)],
    [
      "OPTIONS",
      ...[...groups].flatMap(([group, settings]) => [`.SS ${plain(group)}`, ...settings.map(option)]),
    ],
    ["EVERY COMMAND", ...COMMON_FLAGS.map(([flags, text]) => item(flagText(flags), plain(`${text}.`)))],
    ["NOTES", ...(notes === undefined ? [] : [verbatim(notes)])],
    ["EXIT STATUS", ...exitStatus()],
    ["ENVIRONMENT", ...environment()],
    ["SEE ALSO", seeAlso([program.name])],
  ];
  return page(
    pageName(program, command),
    says,
    sections.filter(([, ...blocks]) => blocks.length > 0),
  );
}

type Section = readonly [heading: string, ...blocks: string[]];

function page(name: string, says: string, sections: readonly Section[]): string {
  const title = `.TH ${name.toUpperCase()} 1 "" "signalbox ${version}" "User Commands"`;
  const all: Section[] = [["NAME", `${plain(name)} \\- ${plain(says)}`], ...sections];
  const body = all.flatMap(([heading, ...blocks]) => [`.SH ${heading}`, ...blocks]);
  return `.\\" Printed from the declarations of the commands by bun docs/generate.ts; edit those.\n${title}\n.nh\n.ad l\n${body.join("\n")}\n`;
}

function option(setting: Setting): string {
  const { variables, tomlKey } = setting;
  const also = variables.length > 0 ? `Variable ${variables.join(", ")}; key ${tomlKey}.` : `Key ${tomlKey}.`;
  return item(flagText(flagsOf(setting)), plain(`${sentenceOf(setting)}. ${also}`));
}

function item(term: string, text: string): string {
  return `.TP\n${term}\n${text}`;
}

function exitStatus(): string[] {
  return EXIT_CODES.map(([code, says]) => item(bold(String(code)), plain(`${says}.`)));
}

function environment(): string[] {
  return ENVIRONMENT.map(([name, says]) => item(bold(name), plain(`${says}.`)));
}

function seeAlso(names: readonly string[]): string {
  return names.map((name) => `${bold(name)}(1)`).join(",\n");
}

/** `--worker-secret SECRET, --worker-secret-file FILE`: flags in bold, what they take in italics. */
function flagText(flags: string): string {
  const words = flags.split(/(?<=,) | /);
  return words.map((word) => (word.startsWith("-") ? bold(word) : italic(word))).join(" ");
}

function verbatim(text: string): string {
  return `.nf\n${text.split("\n").map(plain).join("\n")}\n.fi`;
}

function bold(text: string): string {
  return `\\fB${plain(text)}\\fR`;
}

function italic(text: string): string {
  return `\\fI${plain(text)}\\fR`;
}

/** A dash is one that can be copied, and no line begins like a request. */
function plain(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll("…", "...")
    .replace(/^([.'])/, "\\&$1");
}
