import type { CommandWords, FlagWords } from "./command_words.ts";

/** https://fishshell.com/docs/current/cmds/complete.html */
export function fishCompletions(program: string, places: readonly CommandWords[]): string {
  const name = program.replaceAll("-", "_");
  const lines = places.flatMap(({ path, next, flags }) => {
    const at = quoted(`__${name}_at ${path}`.trimEnd());
    const exactly = quoted(`__${name}_exactly ${path}`.trimEnd());
    return [
      ...next.map(({ word, says }) => `complete -c ${program} -n ${exactly} -a ${word} -d ${quoted(says)}`),
      ...flags.map((flag) => `complete -c ${program} -n ${at} ${option(flag)}`),
    ];
  });
  return `# fish completion of ${program}
function __${name}_typed
    set -l words (commandline -opc)
    set -e words[1]
    set -l typed
    for word in $words
        string match -q -- '-*' $word; and break
        set -a typed $word
    end
    string join ' ' -- $typed
end

# Behind these words, and maybe others.
function __${name}_at
    set -l typed (__${name}_typed)
    string match -q -- "$argv *" "$typed "
end

# Behind these words and no others.
function __${name}_exactly
    set -l typed (__${name}_typed)
    test "$argv" = "$typed"
end

complete -c ${program} -f
${lines.join("\n")}
`;
}

function option({ flag, says, placeholder, choices, isPath }: FlagWords): string {
  const told = `-l ${flag.slice(2)} -d ${quoted(says)}`;
  if (!placeholder) return told;
  if (isPath) return `${told} -r -F`;
  return choices.length > 0 ? `${told} -x -a ${quoted(choices.join(" "))}` : `${told} -x`;
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}
