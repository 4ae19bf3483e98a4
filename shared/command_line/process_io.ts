import process from "node:process";
import { createInterface } from "node:readline";
import type { CommandIo } from "./command.ts";

/** The process we are. */
export function processIo(): CommandIo {
  // A reader that went away (`signalbox … | head`) is no reason to fail.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  return {
    out: (text) => void process.stdout.write(text),
    err: (text, done) => void process.stderr.write(text, () => done?.()),
    stdin: readStdin,
    ask: process.stdin.isTTY && process.stderr.isTTY ? askLine : undefined,
    terminal: process.stdout.isTTY ? { columns: process.stdout.columns } : undefined,
    env: process.env,
  };
}

async function readStdin(): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of process.stdin) pieces.push(piece);
  return Buffer.concat(pieces).toString("utf8");
}

/** Not in the terminal's raw mode: Ctrl-C stays the signal that it is elsewhere. */
function askLine(question: string): Promise<string | undefined> {
  process.stderr.write(question);
  const lines = createInterface({ input: process.stdin, terminal: false });
  return new Promise((resolve) => {
    lines.once("close", () => resolve(undefined));
    lines.once("line", (line) => {
      resolve(line);
      lines.close();
    });
  });
}
