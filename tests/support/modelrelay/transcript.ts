import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

/** What the real ModelRelay programs sent and answered, as it was written down when they were run. */
export type Recording = "server" | "worker" | "e2e" | "hb";

/** The blocks of a recording by their titles, each with its lines; lines before the first title stand under "". */
export function readBlocks(name: Recording): Map<string, string[]> {
  const blocks = new Map<string, string[]>();
  let lines: string[] = [];
  for (const line of readLines(name)) {
    const title = /^\[(.+)\]$/.exec(line)?.[1];
    if (title !== undefined) {
      lines = [];
      blocks.set(title, lines);
    } else if (line.trim() !== "") lines.push(line.trim());
  }
  return blocks;
}

export function readLines(name: Recording): string[] {
  const text = readFileSync(new URL(`transcripts/${name}.txt`, import.meta.url), "utf8");
  return text.split("\n").filter((line) => line !== "");
}

/** A part that differs from run to run, made the same. */
export function withoutDate(text: string): string {
  return text.replace(/\w{3}, \d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2} GMT/g, "DATE");
}

/** A recording without blocks: each of its lines is to be used once. */
export function lineReplay(name: Recording, count: number) {
  const lines = readLines(name).map((line) => line.trim());
  const used: string[] = [];
  return {
    /** The one line that starts like this. */
    recorded(start: string): string {
      const found = lines.filter((line) => line.startsWith(start));
      assert.equal(found.length, 1, start);
      used.push(found[0]!);
      return found[0]!;
    },
    /** To be called last. */
    checkComplete(): void {
      test(`every line of ${name} was used`, () => {
        assert.equal(lines.length, count);
        assert.deepEqual(used.sort(), lines.sort());
      });
    },
  };
}
