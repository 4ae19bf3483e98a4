import { spawnSync } from "node:child_process";
import { CommandError } from "../command_line/command_error.ts";

/** Runs a command of the service manager. Gives what it complains of; undefined: nothing. */
export type RunCommand = (command: readonly string[]) => string | undefined;

/** With the variables that the person has who called us. */
export function commandRunner(env: Readonly<Record<string, string | undefined>>): RunCommand {
  return ([name = "", ...words]) => {
    const { status, error, stderr } = spawnSync(name, words, { env: { ...env }, encoding: "utf8" });
    if (error)
      return (error as NodeJS.ErrnoException).code === "ENOENT" ? "there is no such command" : error.message;
    return status === 0 ? undefined : stderr.trim().split("\n")[0] || `it ended with ${status}`;
  };
}

interface Running {
  run: RunCommand;
  say(line: string): void;
}

/** Run them in their order. @throws CommandError at the first that fails, with `hint` */
export function runAll(commands: readonly (readonly string[])[], { run, say }: Running, hint: string): void {
  for (const command of commands) {
    const text = command.join(" ");
    const complaint = run(command);
    if (complaint !== undefined) throw new CommandError(`Cannot run ${text}: ${complaint}`, hint);
    say(`ran ${text}`);
  }
}

/** Run them in their order, and say what they complain of: what does not run cannot be stopped. */
export function tryAll(commands: readonly (readonly string[])[], { run, say }: Running): void {
  for (const command of commands) {
    const complaint = run(command);
    say(`ran ${command.join(" ")}${complaint === undefined ? "" : `, which says: ${complaint}`}`);
  }
}
