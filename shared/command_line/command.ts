import type { z } from "zod";
import type { SettingsSchema } from "../settings/describe.ts";
import type { Inspected } from "../settings/load.ts";

/** What a command has of the process. */
export interface CommandIo {
  /** Its result, and nothing else. */
  out(text: string): void;
  /** Errors, warnings and the log. Calls back when there is room for more. */
  err(text: string, done?: () => void): void;
  /** Everything on standard input. */
  stdin(): Promise<string>;
  /** Put a question on standard error, and read a line. Undefined: nobody answers. Not there without a terminal. */
  readonly ask?: ((question: string) => Promise<string | undefined>) | undefined;
  /** Undefined: `out` is not read by a person at a terminal. */
  readonly terminal?: { readonly columns: number } | undefined;
  /** How wide the terminal is that `err` is shown on, for a line that is written again and again; undefined: none is wanted. */
  readonly statusColumns?: (() => number) | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** A subcommand. `open` is called for the one that was asked for, so that the others need not be loaded. */
export interface Command {
  /** One or two words: `serve`, `keys hash`. */
  readonly name: string;
  /** What it does, without a full stop; at most 60 characters. */
  readonly says: string;
  /** One of a few words stands behind its name and says what it is about, mostly another command. */
  readonly roles?: Roles;
  /** `role`: which one, when it was told. */
  open(role?: string): Promise<OpenCommand>;
}

/** What a command can be about. */
export interface Roles {
  readonly names: readonly string[];
  /** It may be left out. */
  readonly optional?: boolean;
}

/** The words that a command takes beside its flags. */
export interface Operands {
  /** As help shows them, in their order: `METHOD`, `PATH`. */
  readonly names: readonly string[];
  /** They may be left out, all of them together. */
  readonly optional?: boolean;
  /** What shells offer for the only one of them: words that it may be, with what they stand for. */
  readonly words?: readonly { readonly word: string; readonly says: string }[];
}

export interface OpenCommand {
  readonly schema: SettingsSchema;
  /** How to call it, with what for. Several calls are lines of their own. */
  readonly example: string;
  /** Default: none. */
  readonly operands?: Operands;
  /** What else `--help` says: paragraphs for 80 columns, the last one without a line break behind it. */
  readonly notes?: string;
  /** Its file may be ModelRelay's. */
  readonly modelRelayFile?: boolean;
  /** Flags of ModelRelay that are taken and have no effect, and what to do instead. */
  readonly retired?: Readonly<Record<string, string>>;
  /** It is about the settings of another command, and takes that one's flags beside its own. */
  readonly subject?: OpenCommand;
  /** Do it. Gives the exit code. */
  run(settings: unknown, io: CommandIo, given: Given): Promise<number>;
}

/** What a command was called with beside the flags of its own. */
export interface Given {
  readonly operands: readonly string[];
  /** The settings of the command that it is about, or what is wrong with them. */
  readonly inspected?: Inspected<unknown>;
}

/** Ties the settings that `run` takes to the schema they are read with. */
export function openCommand<Schema extends SettingsSchema>(
  command: Omit<OpenCommand, "schema" | "run"> & {
    schema: Schema;
    run(settings: z.output<Schema>, io: CommandIo, given: Given): Promise<number>;
  },
): OpenCommand {
  return command as OpenCommand;
}
