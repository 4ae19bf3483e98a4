import { describe, type Setting, type SettingsSchema } from "../settings/describe.ts";

/** What `--help` prints. Everything fits 80 columns. */

const COLUMNS = 80;

export interface HelpFor {
  program: string;
  name: string;
  says: string;
  example: string;
  schema: SettingsSchema;
}

/** Help of one command: what it does, an example, its flags by group. */
export function commandHelp({ program, name, says, example, schema }: HelpFor): string {
  const groups = Map.groupBy(describe(schema), ({ group }) => group);
  const sections = [...groups].map(
    ([group, settings]) =>
      `${group}\n${settings.map((setting) => entry(flagsOf(setting), sentenceOf(setting))).join("")}`,
  );
  return [
    `${says}.\n`,
    `Usage: ${program} ${name} [FLAG]...\n\nExample:\n  ${example.replaceAll("\n", "\n  ")}\n`,
    ...sections,
    `Every command\n${COMMON.map(([flags, text]) => entry(flags, text)).join("")}`,
    `${wrap(elsewhere(describe(schema)[0]), "")}\n`,
  ].join("\n");
}

/** Help of the program, or of a word that several commands begin with. */
export function programHelp(
  program: string,
  says: string,
  commands: readonly { name: string; says: string }[],
): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  const lines = commands.map(({ name, says }) => `  ${name.padEnd(width)}  ${says}\n`).join("");
  return `${says}.\n\nUsage: ${program} COMMAND [FLAG]...\n\nCommands\n${lines}\n${wrap(
    `\`${program} COMMAND --help\` lists a command's flags; --version prints the version.`,
    "",
  )}\n`;
}

const COMMON = [
  ["--config FILE", "Settings from a TOML file; variables and flags are stronger"],
  ["--print-settings", "Print every setting and where it came from, and end"],
  ["-h, --help", "Print this"],
] as const;

function entry(flags: string, text: string): string {
  return `  ${flags}\n${wrap(text, "      ")}\n`;
}

/** `--worker-secret SECRET, --worker-secret-file FILE` */
export function flagsOf({ flag, kind }: Setting): string {
  const own = kind.placeholder ? `${flag} ${kind.placeholder}` : flag;
  return kind.secret ? `${own}, ${flag}-file FILE` : own;
}

function sentenceOf({ says, default: fallback, kind }: Setting): string {
  return fallback && kind.placeholder ? `${says} (default ${fallback.replaceAll(",", ", ")})` : says;
}

function elsewhere(example: Setting | undefined): string {
  if (!example) return "";
  const { flag, variables, tomlKey } = example;
  return `Each flag is also a variable and a key of the file: ${flag} is ${variables[0]} and ${tomlKey}.`;
}

/** Break between words; a word longer than a line stays whole. */
export function wrap(text: string, indent: string): string {
  const lines = [indent];
  for (const word of text.split(" ")) {
    const line = lines.at(-1)!;
    const joined = line === indent ? line + word : `${line} ${word}`;
    if (joined.length <= COLUMNS || line === indent) lines[lines.length - 1] = joined;
    else lines.push(indent + word);
  }
  return lines.join("\n");
}
