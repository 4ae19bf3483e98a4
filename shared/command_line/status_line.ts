import process from "node:process";
import type { Clock, Timer } from "../clock.ts";
import { printable } from "../printable.ts";
import type { CommandIo } from "./command.ts";

/** Faster than one reads. */
const REFRESH_MS = 250;

/** Back to the start of the line, and clear it (ECMA-48, 8.3.41 EL). */
const CLEAR = "\r\x1b[K";

/**
 * One line at the foot of a terminal that is written again and again while `run` runs, at most four times a second.
 * What is printed through the `io` that `run` gets stands above it; it is gone afterwards.
 */
export async function withStatusLine(
  { io, clock, line }: { io: CommandIo; clock: Clock; line(): string },
  run: (io: CommandIo) => Promise<number>,
): Promise<number> {
  const { statusColumns } = io;
  if (!statusColumns) return run(io);
  let shown = "";
  let held = false;
  let timer: Timer | undefined;
  const clear = () => {
    if (shown !== "") io.err(CLEAR);
    shown = "";
  };
  const show = () => {
    // A full line would wrap, and then no longer be one.
    const text = printable(line()).slice(0, Math.max(0, statusColumns() - 1));
    if (text !== shown && !held) io.err(`${CLEAR}${text}`);
    if (!held) shown = text;
  };
  const refresh = () => {
    show();
    timer = clock.after(REFRESH_MS, refresh);
  };
  refresh();
  process.on("exit", clear);
  try {
    return await run({
      ...io,
      out: (text) => {
        clear();
        io.out(text);
      },
      err: (text, done) => {
        const above = shown === "" ? text : `${CLEAR}${text}`;
        const below = shown !== "" && text.endsWith("\n") ? shown : "";
        if (below === "") shown = "";
        io.err(above + below, done);
      },
      ...(io.ask && {
        ask: async (question) => {
          clear();
          held = true;
          try {
            return await io.ask!(question);
          } finally {
            held = false;
          }
        },
      }),
    });
  } finally {
    timer?.cancel();
    clear();
    process.off("exit", clear);
  }
}
