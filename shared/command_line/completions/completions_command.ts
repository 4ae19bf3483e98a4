import { z } from "zod";
import { type Command, openCommand } from "../command.ts";
import type { Program } from "../run.ts";
import { bashCompletions } from "./bash.ts";
import { commandWords } from "./command_words.ts";
import { fishCompletions } from "./fish.ts";
import { powershellCompletions } from "./powershell.ts";
import { zshCompletions } from "./zsh.ts";

const SHELLS = {
  bash: bashCompletions,
  zsh: zshCompletions,
  fish: fishCompletions,
  powershell: powershellCompletions,
} as const;

/**
 * `signalbox completions SHELL`: a script for that shell. It holds all that it offers, so that a Tab starts nothing.
 * The generators are ours: flags follow from the settings, which no library of completions knows.
 */
export function completionsCommand(program: () => Program): Command {
  return {
    name: "completions",
    says: "Print what a shell needs to complete commands and flags",
    roles: { names: Object.keys(SHELLS) },
    open: async (shell) =>
      openCommand({
        schema: z.object({}),
        example: EXAMPLE,
        run: async (_, io) => {
          const { name, commands } = program();
          io.out(SHELLS[shell as keyof typeof SHELLS](name, await commandWords(commands)));
          return 0;
        },
      }),
  };
}

const EXAMPLE = `mkdir -p ~/.local/share/bash-completion/completions
signalbox completions bash \\
  > ~/.local/share/bash-completion/completions/signalbox
signalbox completions zsh > "\${fpath[1]}/_signalbox"
signalbox completions fish > ~/.config/fish/completions/signalbox.fish
signalbox completions powershell >> $PROFILE`;
