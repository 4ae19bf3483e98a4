import { describe, type Setting, type SettingsSchema } from "../settings/describe.ts";
import type { Command, OpenCommand, Operands, Roles } from "./command.ts";

/** What `--help` prints. Everything fits 80 columns. */

const COLUMNS = 80;

export interface HelpFor {
  program: string;
  name: string;
  says: string;
  example: string;
  operands?: Operands;
  notes?: string;
  schema: SettingsSchema;
  roles?: Roles;
  subject?: OpenCommand;
  /** The one that was told. */
  role?: string | undefined;
}

/** Help of one command: what it does, an example, its flags by group. */
export function commandHelp({ program, name, says, example, schema, ...more }: HelpFor): string {
  const { notes } = more;
  // A call that is too long for a line goes on behind a backslash.
  const calls = example.replaceAll("\\\n", "").split("\n").length;
  const groups = Map.groupBy(describe(schema), ({ group }) => group);
  const sections = [...groups].map(
    ([group, settings]) =>
      `${group}\n${settings.map((setting) => entry(flagsOf(setting), sentenceOf(setting))).join("")}`,
  );
  return [
    `${says}.\n`,
    `Usage: ${program} ${name}${wordsBehind(more)} [FLAG]...\n\n${calls > 1 ? "Examples" : "Example"}:\n  ${example.replaceAll("\n", "\n  ")}\n`,
    ...sections,
    `Every command\n${COMMON_FLAGS.map(([flags, text]) => entry(flags, text)).join("")}`,
    ...[notes, wrap(subjectOf(program, more), ""), wrap(elsewhere(describe(schema)), "")].flatMap((text) =>
      text ? [`${text}\n`] : [],
    ),
  ].join("\n");
}

/** What stands between the name of a command and its flags, with a space before it. */
export function wordsBehind({ operands, roles, role }: Pick<HelpFor, "operands" | "roles" | "role">): string {
  const words = role ?? roles?.names.join("|") ?? operands?.names.join(" ");
  if (words === undefined) return "";
  const optional = role === undefined && (roles ?? operands)?.optional;
  return optional ? ` [${words}]` : ` ${words}`;
}

/** Help of the program, or of a word that several commands begin with. */
export function programHelp(
  program: string,
  says: string,
  commands: readonly Pick<Command, "name" | "says">[],
): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  const lines = commands.map(({ name, says }) => `  ${name.padEnd(width)}  ${says}\n`).join("");
  return `${says}.\n\nUsage: ${program} COMMAND [FLAG]...\n\nCommands\n${lines}\n${wrap(
    `\`${program} COMMAND --help\` lists a command's flags; --version prints the version.`,
    "",
  )}\n`;
}

/** What every command has beside the flags of its settings. */
export const COMMON_FLAGS = [
  ["--config FILE", "Settings from a TOML file; variables and flags are stronger"],
  ["--print-settings", "Print every setting and where it came from, and end"],
  ["-h, --help", "Print this"],
] as const;

function entry(flags: string, text: string): string {
  return `  ${flags}\n${wrap(text, "      ")}\n`;
}

/** `--worker-secret SECRET, --worker-secret-file FILE` */
export function flagsOf({ flag, key, default: fallback, kind }: Setting): string {
  if (isOn({ default: fallback, kind })) return `--no-${key}`;
  const own = kind.placeholder ? `${flag} ${kind.placeholder}` : flag;
  return kind.secret ? `${own}, ${flag}-file FILE` : own;
}

/** On unless told otherwise: the flag that one would write is the one that turns it off. */
export function isOn({
  default: fallback,
  kind,
}: {
  default?: string | undefined;
  kind: Setting["kind"];
}): boolean {
  return kind.placeholder === "" && fallback === "true";
}

/** What a setting does, and its default. */
export function sentenceOf({ says, default: fallback, kind }: Setting): string {
  return fallback && kind.placeholder ? `${says} (default ${fallback.replaceAll(",", ", ")})` : says;
}

/** Of a command about another one: where that one's flags are told. */
function subjectOf(program: string, { role, subject }: Pick<HelpFor, "role" | "subject">): string {
  if (!role || !subject) return "";
  return `The flags of ${role} can be given too: \`${program} ${role} --help\` lists them.`;
}

function elsewhere(settings: readonly Setting[]): string {
  const example = settings.find(({ variables }) => variables.length > 0);
  if (!example) return "";
  const { flag, variables, tomlKey } = example;
  const each = settings.every((setting) => setting.variables.length > 0);
  return each
    ? `Each flag is also a variable and a key of the file: ${flag} is ${variables[0]} and ${tomlKey}.`
    : `Each flag is also a key of the file, and some are variables: ${flag} is ${tomlKey} and ${variables[0]}.`;
}

/** Break between words; a word longer than a line stays whole. */
export function wrap(text: string, indent: string, columns = COLUMNS): string {
  const lines = [indent];
  for (const word of text.split(" ")) {
    const line = lines.at(-1)!;
    const joined = line === indent ? line + word : `${line} ${word}`;
    if (joined.length <= columns || line === indent) lines[lines.length - 1] = joined;
    else lines.push(indent + word);
  }
  return lines.join("\n");
}
