import assert from "node:assert/strict";
import { serveSettings } from "../../../server/settings.ts";
import { CommandError } from "../../../shared/command_line/command_error.ts";
import { type LoadOptions, load } from "../../../shared/settings/load.ts";
import { workerSettings } from "../../../worker/settings.ts";

/** What somebody wrote, in each place where settings may stand. */
export interface Written {
  flags?: Record<string, string | string[]>;
  env?: Record<string, string>;
  files?: Record<string, string>;
  modelRelayFile?: boolean;
}

function sources({ flags = {}, env = {}, files = {}, modelRelayFile = false }: Written): LoadOptions {
  return {
    flags: new Map(Object.entries(flags).map(([name, text]) => [name, [text].flat()])),
    env,
    isFile: (path) => path in files,
    readText(path) {
      const text = files[path];
      if (text === undefined) throw new CommandError(`Cannot read ${path}: there is no such file`);
      return text;
    },
    modelRelayFile,
  };
}

export const serve = (written: Written) => load(serveSettings, sources(written));
export const worker = (written: Written) =>
  load(workerSettings, sources({ modelRelayFile: true, ...written }));

/** The message and hint with which reading fails. */
export function complaint(read: () => unknown): [message: string, hint: string | undefined] {
  try {
    read();
  } catch (error) {
    assert.ok(error instanceof CommandError, String(error));
    return [error.message, error.hint];
  }
  return assert.fail("nothing was thrown");
}
