import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { endWithTests } from "../support/children.ts";
import { until } from "../support/until.ts";

/** For a first word; `npm` and a busy machine are slow. */
const PATIENCE_MS = 20_000;

/** A line of a shell that goes on until it is ended, with all that it started. */
export class StartedLine {
  /** On both streams. */
  printed = "";
  readonly #child: ChildProcess;
  readonly #closed: Promise<void>;
  #over = false;

  constructor(
    readonly line: string,
    options: { cwd: string; env: Record<string, string> },
  ) {
    // A group of its own: npm starts others.
    this.#child = spawn("sh", ["-c", line], {
      ...options,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    endWithTests(this.#child);
    for (const stream of [this.#child.stdout!, this.#child.stderr!])
      stream.setEncoding("utf8").on("data", (text) => (this.printed += text));
    this.#closed = new Promise((resolve) =>
      this.#child.on("close", () => {
        this.#over = true;
        resolve();
      }),
    );
  }

  async says(pattern: RegExp): Promise<RegExpExecArray> {
    await until(() => this.#over || pattern.test(this.printed), this.line, PATIENCE_MS);
    const match = pattern.exec(this.printed);
    if (match) return match;
    throw new Error(`${this.line}\nWanted ${pattern}, found\n${this.printed}`);
  }

  async kill(): Promise<void> {
    if (!this.#over) process.kill(-this.#child.pid!, "SIGKILL");
    await this.#closed;
  }
}
