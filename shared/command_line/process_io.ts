import process from "node:process";
import type { CommandIo } from "./command.ts";

/** What a command has of this process. */
export interface ProcessIo extends CommandIo {
  /**
   * What was printed is with its reader, or the reader is gone. One such as `less` takes more than a pipe holds when
   * somebody turns the page; to exit before then would cut it off. Gives why it could not be printed: a full disk, not a
   * reader that left.
   */
  printed(): Promise<Error | undefined>;
}

/** The process we are. */
export function processIo(): ProcessIo {
  // A reader that went away (`signalbox … | head`) is no reason to fail.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  let printed: Promise<unknown> = Promise.resolve();
  let failure: Error | undefined;
  return {
    out: (text) => {
      // Bun calls back of each write on its own, not in their order.
      const written = print(text).catch((error: Error & { code?: string }) => {
        if (error.code !== "EPIPE") failure ??= error;
      });
      printed = Promise.all([printed, written]);
    },
    printed: () => printed.then(() => failure),
    err: (text, done) => void process.stderr.write(text, () => done?.()),
    stdin: readStdin,
    ask: process.stdin.isTTY && process.stderr.isTTY ? lineAsker() : undefined,
    statusColumns: canRewrite() ? () => process.stderr.columns || 80 : undefined,
    terminal: process.stdout.isTTY ? { columns: process.stdout.columns } : undefined,
    env: process.env,
  };
}

/** Deno throws where Bun calls back. */
function print(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => (error ? reject(error) : resolve()));
  });
}

/** In CI a terminal may be a file that somebody reads later. */
function canRewrite(): boolean {
  const { CI, TERM } = process.env;
  return process.stdout.isTTY && process.stderr.isTTY && !CI && TERM !== "dumb";
}

async function readStdin(): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of process.stdin) pieces.push(piece);
  return Buffer.concat(pieces).toString("utf8");
}

/** Not in the terminal's raw mode: Ctrl-C stays the signal that it is elsewhere. */
function lineAsker(): (question: string) => Promise<string | undefined> {
  const { stdin, stderr } = process;
  let typed = "";
  return async (question) => {
    stderr.write(question);
    while (!typed.includes("\n")) {
      const piece = await nextPiece(stdin);
      if (piece === undefined) return undefined;
      typed += piece;
    }
    const [line, ...rest] = typed.split("\n");
    typed = rest.join("\n");
    return line;
  };
}

/** Between pieces the stream is left alone, so that it does not keep the process. Undefined: it ended. */
function nextPiece(stream: NodeJS.ReadStream): Promise<string | undefined> {
  return new Promise((resolve) => {
    const settle = (piece?: Uint8Array) => {
      stream.pause().off("data", settle).off("end", settle);
      resolve(piece && new TextDecoder().decode(piece));
    };
    stream.on("data", settle).on("end", settle).resume();
  });
}
