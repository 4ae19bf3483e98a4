import { read } from "./source_tree.ts";

/** A command line of a document. */
export interface DocumentedCommand {
  /** As it stands there, continued lines joined. */
  readonly text: string;
  /** It stands in a block that is marked for running: "sh run". */
  readonly run: boolean;
  /** The arguments of `signalbox`, when it starts that. */
  readonly args: string[] | undefined;
}

/** The commands in a document's `sh` blocks, in order. */
export function commandsIn(path: string): DocumentedCommand[] {
  return [...read(path).matchAll(/^```sh( run)?\n([\s\S]*?)^```$/gm)].flatMap(([, run, block]) =>
    block!
      .replaceAll(/\\\n\s*/g, "")
      .split("\n")
      .filter(Boolean)
      .map((text) => ({ text, run: run !== undefined, args: programArguments(text) })),
  );
}

/** How documents start the program: from source, or the executable. What stands behind a `>` is the shell's. */
export const STARTER = /^(?:npx (?:bun|deno run -A) main\.ts|signalbox) /;

function programArguments(text: string): string[] | undefined {
  if (!STARTER.test(text)) return undefined;
  return text.replace(STARTER, "").split(" >")[0]!.split(" ");
}
