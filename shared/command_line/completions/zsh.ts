import type { CommandWords, FlagWords } from "./command_words.ts";

/** https://zsh.sourceforge.io/Doc/Release/Completion-System.html, `_arguments` */
export function zshCompletions(program: string, places: readonly CommandWords[]): string {
  const name = program.replaceAll("-", "_");
  return `#compdef ${program}
# zsh completion of ${program}
_${name}() {
    local typed="" word
    local -a next
    for word in "\${(@)words[2,CURRENT-1]}"; do
        [[ $word == -* ]] && break
        typed+="$word "
    done
    case $typed in
${places.map(place).join("\n")}
    esac
}
# Read by a shell, it tells what it is for; as a file in fpath it is the function itself.
if [[ $funcstack[1] == _${name} ]]; then
    _${name} "$@"
else
    compdef _${name} ${program}
fi
`;
}

function place({ path, next, flags }: CommandWords): string {
  const typed = path === "" ? "*" : `"${path} "*`;
  const describing = next.map(({ word, says }) => quoted(`${word}:${says}`)).join(" ");
  const lines = [
    ...(next.length > 0 ? [`next=(${describing})`] : []),
    ...(next.length > 0 && flags.length > 0
      ? [`[[ $PREFIX == -* ]] || _describe ${quoted("command")} next`]
      : []),
    ...(flags.length === 0
      ? [`_describe ${quoted("command")} next`]
      : ["_arguments -S : \\", ...flags.map(argument), `    ${quoted("*: :_nothing")}`]),
  ];
  return [`        ${typed})`, ...lines.map((line) => `            ${line}`), "            ;;"].join("\n");
}

/** `*` before it: some flags may be given several times, and which is not worth knowing here. */
function argument({ flag, says, placeholder, choices, isPath }: FlagWords): string {
  const described = `[${says.replace(/[[\]\\]/g, "\\$&")}]`;
  if (!placeholder) return `    ${quoted(`${flag}${described}`)} \\`;
  const action = isPath ? "_files" : choices.length > 0 ? `(${choices.join(" ")})` : " ";
  return `    ${quoted(`*${flag}=${described}:${placeholder.replaceAll(":", "\\:")}:${action}`)} \\`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
