/** Writes lines without ever making the program wait for whoever reads them. */
export interface LineWriter {
  /** Take a line, its newline included. Written with its neighbours at the end of this turn. */
  write(line: string): void;
  /** Resolves when everything taken so far was written, or was given up. */
  flushed(): Promise<void>;
}

export interface LineWriterOptions {
  /** Write, and call back when there is room for more. */
  write(text: string, done: () => void): void;
  /** A line that says how many were dropped. */
  dropped(count: number): string;
}

/**
 * Some 5,000 lines. A reader that is further behind has stalled, and a relay that waits for its log, or keeps it
 * all in memory, fails its clients for it.
 */
const KEPT_CHARACTERS = 2 ** 20;

export function lineWriter({ write, dropped }: LineWriterOptions): LineWriter {
  let kept = "";
  let droppedCount = 0;
  let writing = false;
  let scheduled = false;
  let waiters: (() => void)[] = [];

  function flush() {
    scheduled = false;
    if (writing) return;
    const text = kept + (droppedCount > 0 ? dropped(droppedCount) : "");
    if (text === "") return settle();
    [kept, droppedCount, writing] = ["", 0, true];
    write(text, () => {
      writing = false;
      flush();
    });
  }

  function settle() {
    const settled = waiters;
    waiters = [];
    for (const resolve of settled) resolve();
  }

  return {
    write(line) {
      if (kept.length + line.length > KEPT_CHARACTERS) droppedCount++;
      else kept += line;
      if (scheduled || writing) return;
      scheduled = true;
      setImmediate(flush);
    },
    flushed() {
      return new Promise((resolve) => {
        waiters.push(resolve);
        flush();
      });
    },
  };
}
