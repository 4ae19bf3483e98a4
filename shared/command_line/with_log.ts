import { startLog } from "../log.ts";
import type { LogFormat, LogLevel } from "../settings/common.ts";
import type { WorkerSecret } from "../settings/secrets.ts";
import type { CommandIo } from "./command.ts";

/** What of a command's settings concerns its log. */
export interface LoggedSettings {
  logLevel: LogLevel;
  logFormat: LogFormat;
  adminToken?: string | undefined;
  workerSecret?: string | undefined;
  workerSecrets?: WorkerSecret[];
}

/** Log to standard error while `run` runs; the secrets among its settings are kept out of every line. */
export async function withLog(
  settings: LoggedSettings,
  io: CommandIo,
  run: () => Promise<number>,
): Promise<number> {
  const { logLevel: level, logFormat: format, adminToken, workerSecret, workerSecrets = [] } = settings;
  const secrets = [adminToken, workerSecret, ...workerSecrets.map(({ secret }) => secret)];
  const flushed = startLog({
    level,
    format,
    write: (text, done) => io.err(text, done),
    secrets: secrets.filter((secret) => secret !== undefined),
  });
  try {
    return await run();
  } finally {
    await flushed();
  }
}
