import type { CommandWords, FlagWords } from "./command_words.ts";

/** For bash 3.2, which macOS has, and later. */
export function bashCompletions(program: string, places: readonly CommandWords[]): string {
  const name = program.replaceAll("-", "_");
  return `# bash completion of ${program}
_${name}() {
    local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} typed="" word
    # Of --flag=value bash makes three words.
    if [[ $cur == "=" ]]; then
        cur=""
    elif [[ $prev == "=" ]]; then
        prev=\${COMP_WORDS[COMP_CWORD-2]}
    fi
    for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        [[ $word == -* ]] && break
        typed+="$word "
    done
    local next="" flags="" files="" value="" choices=""
    case $typed in
${places.map(place).join("\n")}
    esac
    COMPREPLY=()
    if [[ " $files " == *" $prev "* ]]; then
        compopt -o default 2>/dev/null || COMPREPLY=($(compgen -f -- "$cur"))
    elif [[ -n $choices ]]; then
        COMPREPLY=($(compgen -W "$choices" -- "$cur"))
    elif [[ " $value " == *" $prev "* ]]; then
        return
    elif [[ $cur == -* || -z $next ]]; then
        COMPREPLY=($(compgen -W "$flags" -- "$cur"))
    else
        COMPREPLY=($(compgen -W "$next" -- "$cur"))
    fi
}
complete -F _${name} ${program}
`;
}

function place({ path, next, flags }: CommandWords): string {
  const typed = path === "" ? "*" : `"${path} "*`;
  const namesOf = (chosen: readonly FlagWords[]) => chosen.map(({ flag }) => flag).join(" ");
  const choosing = flags.filter(({ choices }) => choices.length > 0);
  const files = flags.filter(({ isPath }) => isPath);
  const value = flags.filter(
    ({ placeholder, isPath, choices }) => placeholder && !isPath && choices.length === 0,
  );
  const lines = [
    ...(next.length > 0 ? [`next="${next.map(({ word }) => word).join(" ")}"`] : []),
    ...(flags.length > 0 ? [`flags="${namesOf(flags)}"`] : []),
    ...(files.length > 0 ? [`files="${namesOf(files)}"`] : []),
    ...(value.length > 0 ? [`value="${namesOf(value)}"`] : []),
    ...(choosing.length > 0
      ? [
          "case $prev in",
          ...choosing.map(({ flag, choices }) => `    ${flag}) choices="${choices.join(" ")}" ;;`),
          "esac",
        ]
      : []),
  ];
  return [`        ${typed})`, ...lines.map((line) => `            ${line}`), "            ;;"].join("\n");
}
