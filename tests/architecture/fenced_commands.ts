import { read } from "./source_tree.ts";

/** A command line of a document. */
export interface DocumentedCommand {
  /** As it stands there, continued lines joined. */
  readonly text: string;
  /** It stands in a block that is marked for running: "sh run". */
  readonly run: boolean;
}

/** The commands in a document's `sh` blocks, in order. */
export function commandsIn(path: string): DocumentedCommand[] {
  return [...read(path).matchAll(/^```sh( run)?\n([\s\S]*?)^```$/gm)].flatMap(([, run, block]) =>
    block!
      .replaceAll(/\\\n\s*/g, "")
      .split("\n")
      .filter(Boolean)
      .map((text) => ({ text, run: run !== undefined })),
  );
}

/** How documents start the program: from source, or the executable. */
export const STARTER = /^(?:npx (?:bun|deno run -A) main\.ts|signalbox|dist\/signalbox) /;

/** It takes a whole machine, with a service manager: `tests/end_to_end/service_commands.test.ts` types it in one. */
export const OF_A_MACHINE = /^(?:sudo (?:signalbox service|systemctl)|journalctl) /;
