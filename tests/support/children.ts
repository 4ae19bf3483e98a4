import type { ChildProcess } from "node:child_process";
import process from "node:process";

const running = new Set<ChildProcess>();

process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** Have a process end with those of the tests at the latest: a test that ran out of time disposes nothing. */
export function endWithTests(child: ChildProcess): void {
  running.add(child);
  child.on("exit", () => running.delete(child));
}
