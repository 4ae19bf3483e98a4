import { describe, type Setting } from "../../settings/describe.ts";
import type { Command, OpenCommand } from "../command.ts";
import { COMMON_FLAGS, isOn } from "../help.ts";

/** What may be typed at one place of a command line. */
export interface CommandWords {
  /** The words before it, without the program's: ``, `config`, `config check serve`. */
  readonly path: string;
  /** Words that may come next, with what they stand for. */
  readonly next: readonly { readonly word: string; readonly says: string }[];
  readonly flags: readonly FlagWords[];
}

export interface FlagWords {
  /** With its dashes. */
  readonly flag: string;
  readonly says: string;
  /** What stands behind it in help; empty: it takes no value. */
  readonly placeholder: string;
  /** The words that its value is one of; none: it may be anything. */
  readonly choices: readonly string[];
  /** Its value is the path of a file or of a folder. */
  readonly isPath: boolean;
}

/** Everything that shells may offer, the longest paths first: the first that fits is the one. */
export async function commandWords(commands: readonly Command[]): Promise<CommandWords[]> {
  const places: CommandWords[] = [];
  for (const command of commands) {
    const { name, says, roles } = command;
    const names = roles?.names ?? [];
    for (const role of names) {
      const flags = flagWords(await command.open(role));
      places.push({ path: `${name} ${role}`, next: [], flags });
    }
    const opened = await command.open();
    const flags = flagWords(opened);
    const words = opened.operands?.words ?? [];
    for (const { word } of words) places.push({ path: `${name} ${word}`, next: [], flags });
    const next = [...names.map((word) => ({ word, says })), ...words];
    places.push({ path: name, next, flags });
  }
  const groups = new Set(commands.flatMap(({ name }) => name.split(" ").slice(0, -1)));
  for (const group of groups) places.push({ path: group, next: nextIn(commands, `${group} `), flags: [] });
  places.push({ path: "", next: nextIn(commands, ""), flags: [] });
  const length = ({ path }: CommandWords) => (path === "" ? 0 : path.split(" ").length);
  return places.sort((a, b) => length(b) - length(a));
}

/** The words that follow a prefix; one that several commands share stands once, with the first's sentence. */
function nextIn(commands: readonly Command[], prefix: string): CommandWords["next"] {
  const next = new Map<string, string>();
  for (const { name, says } of commands) {
    if (!name.startsWith(prefix)) continue;
    const [word = "", ...more] = name.slice(prefix.length).split(" ");
    if (!next.has(word)) next.set(word, more.length > 0 ? `${word} …` : says);
  }
  return [...next].map(([word, says]) => ({ word, says }));
}

function flagWords({ schema, subject }: OpenCommand): FlagWords[] {
  const settings = [...describe(schema), ...(subject ? describe(subject.schema) : [])];
  const common = COMMON_FLAGS.map(([flags, says]) => {
    const [flag = "", placeholder = ""] = flags.split(", ").at(-1)!.split(" ");
    return { flag, says, placeholder, choices: [], isPath: placeholder === "FILE" };
  });
  return [...settings.flatMap(ofSetting), ...common];
}

function ofSetting({ flag, key, says, default: fallback, kind }: Setting): FlagWords[] {
  const { placeholder, choices = [], secret = false } = kind;
  const isPath = placeholder === "FILE" || placeholder === "PATH";
  const own = {
    flag: isOn({ default: fallback, kind }) ? `--no-${key}` : flag,
    says,
    placeholder,
    choices,
    isPath,
  };
  // A secret on a command line can be seen by others: only the file is offered.
  return secret ? [{ ...own, flag: `${flag}-file`, placeholder: "FILE", isPath: true }] : [own];
}
